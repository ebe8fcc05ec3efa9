//! What a report says, and that nothing in it can steer a terminal.

use std::collections::BTreeSet;
use std::time::Duration;

use campuscafe_api::inventory::State;
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

use super::*;
use crate::lessons::Verdict;

/// Clears the screen, paints, turns text around, makes a link.
const EVIL: &str = "\x1b[2J\u{9b}31m\u{202e}\x1b]8;;http://evil\x07\r\n";

fn plan() -> OrderPlan {
    OrderPlan { chaos: "slow", retry: false, reservations: 1 }
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
    let incomplete: Vec<_> = order_trace
        .iter()
        .flat_map(|order_trace| &order_trace.flaws)
        .map(ToString::to_string)
        .collect();
    let ledger = if incomplete.is_empty() { ledger.with_commits(1) } else { ledger };
    let report = OrderReport { trace_id: Some("0af7651916cd43dd".repeat(2)), ..answered.report };
    let words = "Order failed 💥".to_owned();
    let response = CustomerResponse { status: 504, words, report, after: Duration::from_secs(1) };
    let deltas = [("inventory_late_commits_total{item=\"cake\"}".to_owned(), 1)].into();
    let order = Order {
        request: plan().order(item, None),
        response,
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
    let sentence = || format!("The customer heard \"{}\".", order.response.words);
    let verdict = Verdict::of(told, held, order.incomplete.clone(), sentence);
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
    super::finding(finding, Style::never())
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
    let (_, mut order) = slow("tea", "");
    order.delivered = Some(Delivered { quantity: 1, stock_before: 0 });
    let said = stock(&order);
    let expected = "The inventory does not know cake, so this orders tea.\nDelivered 1 tea: the stock was 0.\n\n";
    assert_eq!(said, expected);
    let (_, mut order) = slow("cake", "");
    assert_eq!(stock(&order), "");
    order.delivered = Some(Delivered { quantity: 2, stock_before: 1 });
    assert_eq!(stock(&order), "Delivered 2 cakes: the stock was 1.\n\n");
}

#[test]
fn nothing_that_an_answer_or_a_span_holds_steers_the_terminal() {
    let (_, mut order) = slow(&format!("ca{EVIL}ke"), "");
    order.delivered = Some(Delivered { quantity: 2, stock_before: 0 });
    order.response.words = EVIL.to_owned();
    order.deltas = [(format!("order_total{{item=\"{EVIL}\"}}"), 1)].into();
    order.response.report.trace_id = Some(EVIL.to_owned());
    let mut finding = found(order, true, true);
    finding.in_jaeger = Some(Link::To(format!("http://jaeger/{EVIL}")));
    finding.in_grafana = Some(Link::Nowhere(EVIL.to_owned()));
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
    assert_harmless(&request(plan, &old));
    let seen =
        PodReplacement { plan, customers: vec![customer], old, replaced: true, remembered: 1 };
    assert_harmless(&pod_replacement(&seen, Style::never()));
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
    let text = pod_replacement(&seen, Style::never());
    let row = |words: &str| text.lines().any(|line| line.trim_start().starts_with(words));
    assert!(row("unknown: spans are missing") && row("none "), "{text}");
}
