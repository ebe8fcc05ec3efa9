//! What a report says, and that nothing in it can steer a terminal.

use std::collections::BTreeSet;
use std::time::Duration;

use campuscafe_api::inventory::{Hold, Reservation, State};
use campuscafe_api::order::{OrderReport, Outcome};
use campuscafe_evidence::ledger::Ledger;
use campuscafe_evidence::order::{CustomerResponse, Delivered, OrderPlan};
use campuscafe_evidence::order_trace::OrderTrace;
use campuscafe_evidence::pod_replacement::{
    Customer, CustomerResult, PodReplacement, PodReplacementPlan, Service,
};
use campuscafe_evidence::span::Span;
use campuscafe_evidence::testing::{
    With as _, answer, commit, fault, order as placed, served, unanswered,
};
use campuscafe_evidence::waterfall::Waterfall;
use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::lessons::{ALL, Verdict, flaws};
use crate::view::columns::{cut, width};

/// Clears the screen, paints, turns text around, makes a link.
const EVIL: &str = "\x1b[2J\u{9b}31m\u{202e}\x1b]8;;http://evil\x07\r\n";

fn plan() -> OrderPlan {
    OrderPlan { chaos: "slow", retry: false, reservations: 1, ..OrderPlan::NAIVE }
}

/// A slow order of this item: its spans, less the one with this id.
fn slow(item: &str, lost: &str) -> (Vec<Span>, Order) {
    let mut spans = vec![
        placed(1003, "unknown", 504),
        unanswered("one", 1..1001, "timeout"),
        served("in", "one", 2..2002, "slow:2000").left_at(1002),
        fault("in", 2..2002, "slow:2000"),
        commit("in", 2002, 10, true, false).text(campuscafe_attributes::RESERVATION_ITEM, item),
    ];
    let answered = answer(&spans, "slow");
    spans.retain(|span| span.id != lost);
    let order_trace = OrderTrace::of(&spans, &answered);
    let state =
        |left, reservations| State { stock: [(item.to_owned(), left)].into(), reservations };
    let ledger = Ledger::of(item, Outcome::Unknown, &state(10, 0), &state(9, 1));
    let incomplete: Vec<_> =
        order_trace.iter().flat_map(|order_trace| order_trace.flaws.clone()).collect();
    let ledger = if incomplete.is_empty() { ledger.with_commits(1) } else { ledger };
    let report = OrderReport { trace_id: Some("0af7651916cd43dd".repeat(2)), ..answered.report };
    let words = "Order failed 💥".to_owned();
    let response = CustomerResponse { status: 504, words, report, after: Duration::from_secs(1) };
    let deltas =
        [("inventory_late_commits_total{item=\"cake\",lane=\"naive\"}".to_owned(), 1)].into();
    let order = Order {
        request: plan().order(item, None),
        response,
        later: None,
        ledger,
        deltas,
        order_trace,
        waterfall: Waterfall::default(),
        incomplete,
        delivered: None,
    };
    (spans, order)
}

fn found(order: Order, told: bool, held: bool) -> Finding {
    let why = || {
        let why = Message::new("doubt-waited").with("words", order.response.words.clone());
        why.with("after", order.response.after)
    };
    let verdict = Verdict::of(told, held, flaws(&order.incomplete), why);
    Finding {
        caption: "",
        evidence: Evidence::Order(Box::new(order)),
        verdict,
        had_span_source: false,
        in_lab: None,
        in_jaeger: None,
        in_grafana: None,
    }
}

fn text(finding: &Finding) -> String {
    super::finding(finding, Voice::ENGLISH)
}

#[track_caller]
fn assert_harmless(text: &str) {
    let steers = |c: &char| c.is_control() && *c != '\n' || *c == '\u{202e}';
    assert_eq!(text.chars().find(steers), None, "in {text:?}");
    assert!(text.contains("\\u{1b}[2J\\u{9b}31m\\u{202e}"), "it is shown instead: {text}");
}

#[test]
fn a_word_for_each_conclusion_and_what_is_missing_by_name() {
    let whole = text(&found(slow("cake", "").1, true, true));
    assert!(whole.contains("\nSHOWN\n") && !whole.contains("ncomplete"), "{whole}");
    assert!(whole.contains("the inventory made      1 reservation, cake left 10 -> 9"), "{whole}");

    let (_, lossy) = slow("cake", "commit-in");
    for (held, word) in [(true, "\nSHOWN, evidence incomplete\n"), (false, "\nINCOMPLETE\n")] {
        let text = text(&found(lossy.clone(), true, held));
        let said = "Evidence incomplete: the commit of attempt 1 is missing.";
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(word) && flat.contains(said), "{text}");
        assert!(text.contains("made      1 reservation in total"), "{text}");
        assert!(text.contains("the picture is incomplete"), "{text}");
    }
    assert!(text(&found(slow("cake", "").1, true, false)).contains("\nNOT SHOWN\n"));
}

#[test]
fn a_delivery_and_another_item_than_the_usual_one_are_said_in_a_line() {
    let (_, order) = slow("tea", "");
    let expected = "The inventory does not know cake, so this orders tea.\n\n";
    assert_eq!(stock(&order, Voice::ENGLISH), expected);
    let (_, order) = slow("cake", "");
    assert_eq!(stock(&order, Voice::ENGLISH), "");
    let delivered = Delivered { quantity: 2, stock_before: 1 };
    let said = of(Event::Delivered { item: "cake", delivered }, Voice::ENGLISH);
    assert_eq!(said.as_deref(), Some("Delivered 2 cakes: the stock was 1.\n\n"));
    let said = of(Event::SurplusOrdered { item: "cake", pieces: 4 }, Voice::ENGLISH);
    let expected = "Ordered 4 of cake before the script begins, so that exactly 10 are left.\n\n";
    assert_eq!(said.as_deref(), Some(expected));
}

#[test]
fn a_counter_with_many_labels_goes_on_below_and_a_short_one_does_not() {
    let long = "  +12  order_attempts_total{result=\"connection_lost\",fault=\"lostreply\",lane=\"naive\"}";
    let (first, second) =
        counter(long).split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert!(first.ends_with("fault=\"lostreply\",") && first.len() <= 80, "{first}");
    assert_eq!(second, "        lane=\"naive\"}");
    for short in ["  +1  order_retries_total".to_owned(), "x".repeat(80)] {
        assert_eq!(counter(&short), short);
    }
}

#[test]
fn nothing_that_an_answer_or_a_span_holds_steers_the_terminal() {
    let item = format!("ca{EVIL}ke");
    let delivered = Delivered { quantity: 2, stock_before: 0 };
    let said = of(Event::Delivered { item: &item, delivered }, Voice::ENGLISH);
    assert_harmless(&said.unwrap());
    let said = of(Event::SurplusOrdered { item: &item, pieces: 4 }, Voice::ENGLISH);
    assert_harmless(&said.unwrap());
    let (_, mut order) = slow(&item, "");
    order.response.words = EVIL.to_owned();
    order.deltas = [(format!("order_total{{item=\"{EVIL}\"}}"), 1)].into();
    order.response.report.trace_id = Some(EVIL.to_owned());
    let mut finding = found(order, true, true);
    finding.in_jaeger = Some(Link::To(format!("http://jaeger/{EVIL}")));
    finding.in_grafana = Some(Link::Nowhere(Message::new("look-no-grafana").with("url", EVIL)));
    assert_harmless(&text(&finding));
}

#[test]
fn nothing_that_a_pod_is_called_steers_the_terminal() {
    let pod = format!("old{EVIL}");
    let (mut spans, _) = slow("cake", "");
    for span in &mut spans {
        span.instance = Some(pod.clone());
    }
    let order_trace = OrderTrace::of(&spans, &answer(&spans, "slow")).unwrap();
    let customer = Customer {
        number: 1,
        arrived: Duration::ZERO,
        after: Duration::from_secs(1),
        result: CustomerResult::Outcome(Outcome::Unknown),
        trace_id: None,
        order_trace: Some(order_trace),
    };
    let plan = PodReplacementPlan { service: Service::Inventory, command: "kubectl" };
    let old = BTreeSet::from([pod]);
    assert_harmless(&request(plan, &old, Voice::ENGLISH));
    let seen =
        PodReplacement { plan, customers: vec![customer], old, replaced: true, remembered: 1 };
    assert_harmless(&pod_replacement(&seen, Voice::ENGLISH));
}

#[test]
fn a_pod_that_missing_spans_would_name_is_not_called_none() {
    let customer = |result, trace_id: Option<&str>| Customer {
        number: 1,
        arrived: Duration::ZERO,
        after: Duration::from_secs(1),
        result,
        trace_id: trace_id.map(str::to_owned),
        order_trace: None,
    };
    let lost = customer(CustomerResult::Outcome(Outcome::Confirmed), Some("0af7651916cd43dd"));
    let customers = vec![lost, customer(CustomerResult::NoAnswer("no connection"), None)];
    let plan = PodReplacementPlan { service: Service::Order, command: "kubectl" };
    let seen =
        PodReplacement { plan, customers, old: BTreeSet::new(), replaced: false, remembered: 1 };
    let text = pod_replacement(&seen, Voice::ENGLISH);
    let row = |words: &str| text.lines().any(|line| line.trim_start().starts_with(words));
    assert!(row("unknown: spans are missing") && row("none "), "{text}");
}

/// Everything that is said in one language, of every experiment.
fn all_that_is_said(voice: Voice) -> Vec<String> {
    let linked = |chaos: &'static str| {
        let (_, order) = slow("cake", "");
        let order = Order { request: OrderPlan { chaos, ..plan() }.order("cake", None), ..order };
        let mut finding = found(order, true, chaos != "slow");
        finding.in_jaeger = Some(Link::To("http://jaeger".to_owned()));
        finding.in_grafana = Some(Link::To("http://grafana".to_owned()));
        Arc::new(finding)
    };
    let findings = |experiment: &'static Experiment| Findings {
        skipped: Vec::new(),
        experiment,
        run: "0af7651916cd43dd".repeat(2),
        all: match experiment.same_view {
            [] => vec![linked("fail")],
            faults => faults.iter().map(|chaos| linked(chaos)).collect(),
        },
    };
    let mut said = vec![farewell(voice, false), farewell(voice, true)];
    for experiment in ALL {
        said.push(heading(experiment, voice));
        said.extend(experiment.trials.iter().map(|trial| announcement(trial, 7, voice)));
        said.push(closing(&findings(experiment), voice));
    }
    said.push(summary(&ALL.map(findings), voice));
    said.push(super::finding(&linked("slow"), voice));
    let lossy = found(slow("cake", "commit-in").1, true, false);
    said.push(super::finding(&lossy, voice));
    for words in [
        "Order failed 💥",
        "Retry also failed 💥",
        "reserved (first try) ✅",
        "reserved (after timeout retry) ⚠️",
    ] {
        let mut order = slow("cake", "").1;
        order.response.words = words.to_owned();
        let glosses = usize::from(voice.language != Language::English);
        assert_eq!(gloss(words, voice).into_iter().count(), glosses, "{words}");
        said.push(ledger(&order, voice));
    }
    let hold = Hold {
        request_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
        run: None,
        held_ms: 1,
        limit_ms: 2,
        reservation: Reservation {
            reservation_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
            item_id: "cake".to_owned(),
            quantity: 1,
        },
    };
    for decided in [None, Some(Decision::Release), Some(Decision::Cut), Some(Decision::Wait)] {
        let held = HeldAnswer { hold: hold.clone(), limit: Duration::from_secs(30), decided };
        said.push(question(&held, voice));
    }
    said
}

#[test]
fn no_line_takes_more_than_80_columns_in_any_language_and_each_character_its_own() {
    for language in [Language::English, Language::Japanese] {
        for text in all_that_is_said(Voice::plain(language)) {
            for line in text.lines() {
                assert!(width(line) <= WIDTH, "{}: {line}", width(line));
                // Some terminals give an ambiguous character two columns.
                assert_eq!(width(line), line.width_cjk(), "{line}");
            }
        }
    }
}

#[test]
fn the_columns_of_a_ledger_and_of_orders_side_by_side_begin_in_one_place() {
    let voice = Voice::plain(Language::Japanese);
    let (_, order) = slow("cake", "");
    let text = ledger(&order, voice);
    for line in text.lines().skip(1) {
        let name = cut(line, NAME + 2);
        assert!(width(&name) == NAME + 2 && name.ends_with(' '), "{text}");
        assert!(line.strip_prefix(&name).is_some_and(|cell| !cell.starts_with(' ')), "{text}");
    }
    assert!(text.contains("504「Order failed 💥」"), "the words of the API stay: {text}");
    assert!(text.contains("（意味：注文は失敗しました）"), "they are explained: {text}");
    let slow_lesson = ALL.into_iter().find(|experiment| experiment.name == "slow").unwrap();
    let findings = [Arc::new(found(order.clone(), true, true)), Arc::new(found(order, true, true))];
    for line in side_by_side(slow_lesson.side_by_side, &findings, voice).lines() {
        for column in [NAME + 2, NAME + 2 + 18] {
            let before = cut(line, column);
            assert!(width(&before) == column && before.ends_with(' '), "{line}");
        }
    }
}
