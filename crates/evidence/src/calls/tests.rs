//! What the spans of a script tell, whole and with holes.

use campuscafe_attributes as attribute;

use super::*;
use crate::diagram::{CallEvent, Content, Diagram, MarkKind, Note};
use crate::refusal::{Decided, Refusal};
use crate::span::{Kind, Value};
use crate::testing::{With as _, commit, span};

fn call(id: &str, at: std::ops::Range<u64>, method: &str, path: &str) -> Span {
    let mut call = span(id, "", Kind::Client, at)
        .text(attribute::HTTP_REQUEST_METHOD, method)
        .text(attribute::URL_FULL, &format!("http://127.0.0.1:5101{path}?chaos=slow"));
    call.service = "order".to_owned();
    call
}

fn timed_out(call: Span) -> Span {
    call.text(attribute::ERROR_TYPE, "timeout")
}

fn served(id: &str, call: &str, at: std::ops::Range<u64>, route: &str) -> Span {
    let mut served = span(id, call, Kind::Server, at).text(attribute::HTTP_ROUTE, route);
    served.service = "inventory".to_owned();
    served
}

/// A reserve request that is given up, and what the order service asks then.
fn given_up(asks: &str, route: &str) -> Vec<Span> {
    vec![
        timed_out(call("slow", 0..500, "POST", "/inventory/reserve")),
        call("ask", 501..503, asks, route).status(200).text(SAYS, "void"),
    ]
}

fn slow() -> Span {
    let slow = served("in-slow", "slow", 1..1500, "/inventory/reserve").left_at(500);
    slow.text(attribute::CHAOS_STEP, "slow:1500")
}

/// The slow attempt commits after the question whether its key is there.
fn asked() -> (Vec<Span>, Vec<Span>) {
    let made = given_up("GET", "/inventory/keys");
    let asked = served("in-ask", "ask", 501..502, "/inventory/keys").status(200);
    (made, vec![slow(), asked, commit("in-slow", 1500, 10, true, false)])
}

/// The slow attempt finds its key void.
fn settled() -> (Vec<Span>, Vec<Span>) {
    let route = "/inventory/keys/{key}/settle";
    let made = given_up("POST", "/inventory/keys/k/settle");
    let settle = served("in-ask", "ask", 501..502, route).status(200);
    (made, vec![slow().with(attribute::KEY_VOID, Value::Flag(true)), settle])
}

fn read((made, spans): &(Vec<Span>, Vec<Span>)) -> Calls {
    Calls::of(spans, made).expect("calls")
}

/// What is written beside each step: a message, a mark, a note.
fn steps(calls: &Calls) -> Vec<String> {
    let diagram = Diagram::of_calls(calls);
    let step = |step: &crate::diagram::Step| {
        let message = step.message.as_ref().map(|message| match &message.content {
            Content::Call { call, request } => format!("{call} {}", request.route),
            Content::Reply { call, status, says, .. } => {
                format!("{call}: {status} {}", says.as_deref().unwrap_or_default())
            }
            other => panic!("{other:?}"),
        });
        let note = step.note.as_ref().map(|note| match note {
            Note::Fault(fault) => fault.clone(),
            Note::Committed(commit) => format!("late: {}", commit.late),
            Note::Call(note) => format!("{}: {:?}", note.call, note.event),
            other => panic!("{other:?}"),
        });
        let mark = step.mark.map(|mark| format!("{:?}", mark.kind));
        let parts = [message, mark, note].into_iter().flatten().collect::<Vec<_>>();
        format!("{} {}", diagram.ms(step.at), parts.join(", "))
    };
    diagram.steps.iter().map(step).collect()
}

#[test]
fn a_commit_after_the_answer_that_nothing_is_there_is_drawn_after_it() {
    let calls = read(&asked());
    assert!(calls.is_complete(), "{:?}", calls.flaws);
    assert_eq!(
        steps(&calls),
        [
            "0 1 /inventory/reserve, slow:1500",
            "500 1: CallerLeft",
            "500 GivenUp, 1: GivenUp(\"timeout\")",
            "501 2 /inventory/keys",
            "503 2: 200 void",
            "1500 Commit, late: true",
        ]
    );
    assert_eq!(calls.commits().len(), 1);
}

#[test]
fn an_attempt_that_finds_its_key_void_is_seen_to_do_nothing() {
    let calls = read(&settled());
    assert!(calls.is_complete(), "{:?}", calls.flaws);
    assert_eq!(steps(&calls).last().unwrap(), "1500 Refused, 1: Decided(Refused(KeyVoid))");
    assert_eq!(calls.effects(), []);
}

#[test]
fn a_refusal_that_its_span_names_stands_on_the_answer_and_beside_it_or_where_nobody_hears_it() {
    let words = [
        ("idempotency-key-void", Refusal::KeyVoid),
        ("reservation-cancelled", Refusal::Cancelled),
        ("precondition-failed", Refusal::Stale),
        ("precondition-required", Refusal::Unversioned),
    ];
    for (word, refusal) in words {
        let made = vec![call("put", 0..9, "PUT", "/inventory/items/cake/price").status(412)];
        let served = served("in", "put", 1..8, "/inventory/items/{item}/price");
        let served = served.text(attribute::REFUSAL, word);
        let diagram = Diagram::of_calls(&read(&(made.clone(), vec![served.clone().status(412)])));
        let step = diagram.steps.last().unwrap();
        let decided = Decided::Refused(refusal);
        let Some(Content::Reply { decided: told, .. }) =
            step.message.as_ref().map(|message| &message.content)
        else {
            panic!("{step:?}")
        };
        assert_eq!(*told, Some(decided));
        let Some(Note::Call(note)) = &step.note else { panic!("{step:?}") };
        assert_eq!(note.event, CallEvent::Decided(decided));

        let made = vec![timed_out(call("put", 0..5, "PUT", "/inventory/items/cake/price"))];
        let unheard = read(&(made, vec![served.left_at(6)]));
        let expected = format!("8 Refused, 1: Decided(Refused({refusal:?}))");
        assert_eq!(steps(&unheard).last(), Some(&expected));
        let void = matches!(refusal, Refusal::KeyVoid | Refusal::Cancelled);
        assert_eq!(unheard.calls[0].served.as_ref().unwrap().is_void(), void, "{word}");
    }
}

#[test]
fn a_refusal_that_is_told_again_is_a_replay_and_one_without_a_word_is_known_by_its_flag() {
    let decided = |flags: &[&str]| {
        let made = vec![call("one", 0..9, "POST", "/inventory/reserve").status(409)];
        let served = served("in", "one", 1..8, "/inventory/reserve").status(409);
        let flagged = |span: Span, flag: &&str| span.with(flag, Value::Flag(true));
        let served = flags.iter().fold(served, flagged);
        read(&(made, vec![served])).calls[0].served.as_ref().unwrap().decided()
    };
    let refused = attribute::RESERVATION_REFUSED;
    assert_eq!(decided(&[refused]), Some(Decided::Refused(Refusal::OutOfStock)));
    assert_eq!(decided(&[attribute::KEY_VOID]), Some(Decided::Refused(Refusal::KeyVoid)));
    let replayed = attribute::IDEMPOTENT_REPLAYED;
    assert_eq!(decided(&[refused, replayed]), Some(Decided::Replayed));
    assert_eq!(decided(&[]), None);
}

#[test]
fn bars_stand_side_by_side_only_while_both_are_at_work() {
    let (mut made, mut spans) = asked();
    made.push(call("later", 2000..2002, "GET", "/inventory/state").status(200));
    spans.push(served("in-later", "later", 2001..2002, "/inventory/state").status(200));
    let diagram = Diagram::of_calls(&read(&(made, spans)));
    let columns: Vec<_> = diagram.bars.iter().map(|bar| (bar.attempt, bar.column)).collect();
    assert_eq!((columns, diagram.columns()), (vec![(1, 0), (2, 1), (3, 0)], 2));
}

#[test]
fn calls_that_a_service_makes_for_a_call_are_read_with_it() {
    let customer = |mut call: Span| {
        call.service = "customer".to_owned();
        call
    };
    let mut order = served("in-order", "press", 1..90, "/orders").status(200);
    order.service = "order".to_owned();
    let inner = Span { parent: Some("in-order".to_owned()), ..call("attempt", 2..80, "POST", "/") };
    let reserve = served("in", "attempt", 3..79, "/inventory/reserve").status(200);
    let made = vec![customer(call("press", 0..100, "POST", "/orders").status(200))];
    let spans = vec![order, inner.status(200), reserve, commit("in", 50, 10, false, false)];
    let calls = read(&(made, spans));
    let lanes: Vec<_> = calls.calls.iter().map(|call| (call.from, call.to)).collect();
    assert_eq!(lanes, [(Lane::Customer, Lane::Order), (Lane::Order, Lane::Inventory)]);
    assert!(calls.is_complete(), "{:?}", calls.flaws);
}

#[test]
fn a_span_that_is_missing_doubtful_or_contradicts_the_answer_is_named() {
    let flaws = |spans: Vec<Span>| read(&(asked().0, spans)).flaws;
    let whole = asked().1;
    for missing in 0..2 {
        let mut spans = whole.clone();
        spans.remove(missing);
        let number = u32::try_from(missing).unwrap() + 1;
        assert_eq!(flaws(spans), [Flaw::Missing(Part::Call(number))]);
    }
    let twice = [whole.clone(), whole.clone()].concat();
    assert_eq!(flaws(twice), [], "an exporter may send a span again");
    let other = Span { end: slow().end + 1, id: "x".to_owned(), ..slow() };
    assert_eq!(flaws([whole.clone(), vec![other]].concat()), [Flaw::Ambiguous(Part::Call(1))]);
    let mut wrong = whole.clone();
    wrong[1] = served("in-ask", "ask", 501..502, "/inventory/keys").status(404);
    assert_eq!(flaws(wrong), [Flaw::Contradictory(Part::Call(2))]);

    let made = vec![call("one", 0..9, "POST", "/inventory/reserve").status(200)];
    let served = served("in", "one", 1..8, "/inventory/reserve").status(200);
    let promised = |spans: Vec<Span>| read(&(made.clone(), spans)).flaws;
    assert_eq!(promised(vec![served.clone()]), [Flaw::Missing(Part::CallCommit(1))]);
    let replayed = served.with(attribute::IDEMPOTENT_REPLAYED, Value::Flag(true));
    assert_eq!(promised(vec![replayed]), [], "the commit was that of the first request");
}

#[test]
fn spans_that_stand_below_no_call_of_the_script_are_none_of_its() {
    let (made, mut spans) = asked();
    spans.push(served("in-foreign", "foreign", 10..20, "/inventory/reserve").status(200));
    spans.push(commit("in-foreign", 15, 9, false, false));
    let calls = read(&(made, spans));
    assert_eq!((calls.calls.len(), calls.commits().len()), (2, 1));
}

#[test]
fn a_cancelled_reservation_is_a_change_and_no_commit() {
    let made = vec![call("cancel", 0..9, "DELETE", "/inventory/keys/k").status(200)];
    let mut inner = span("undo", "in", Kind::Internal, 5..5)
        .text(attribute::RESERVATION_ITEM, "cake")
        .with(attribute::STOCK_BEFORE, Value::Int(9))
        .with(attribute::STOCK_AFTER, Value::Int(10));
    inner.name = "cancel reservation".to_owned();
    let spans = vec![served("in", "cancel", 1..8, "/inventory/keys/{key}").status(200), inner];
    let calls = read(&(made, spans));
    assert_eq!(calls.commits(), []);
    let diagram = Diagram::of_calls(&calls);
    let step = &diagram.steps[1];
    assert_eq!(step.mark.unwrap().kind, MarkKind::Change);
    let Some(Note::Call(note)) = &step.note else { panic!("{step:?}") };
    assert!(matches!(&note.event, CallEvent::Changed(change) if change.after == 10), "{note:?}");
}

/// An order whose two messages cross: the first is late, and is dropped or not.
fn messages_that_cross(dropped: bool) -> (Vec<Span>, Vec<Span>) {
    let mut press = call("press", 0..20, "POST", "/orders").status(200);
    press.service = "customer".to_owned();
    let mut order = served("in-order", "press", 1..19, "/orders").status(200);
    order.service = "order".to_owned();
    let mut spans = vec![order.text(attribute::ORDER_NOTIFY, "slow:1500,none")];
    for (state, sent, arrived, dropped) in
        [("accepted", 2, 1500, dropped), ("confirmed", 18, 22, false)]
    {
        let [client, server] = [format!("client-{state}"), format!("server-{state}")];
        let route = "/inventory/notifications";
        let show = span(&format!("show-{state}"), &server, Kind::Internal, arrived..arrived)
            .text(attribute::NOTIFICATION_STATE, state)
            .with(attribute::NOTIFICATION_DROPPED, Value::Flag(dropped));
        let sends = span(state, "in-order", Kind::Internal, sent..arrived + 2)
            .text(attribute::NOTIFICATION_STATE, state);
        let message = call(&client, sent..arrived + 2, "POST", route).status(200);
        let server = served(&server, &client, sent + 1..arrived + 1, route).status(200);
        spans.extend([sends, Span { parent: Some(state.to_owned()), ..message }, server, show]);
    }
    (vec![press], spans)
}

#[test]
fn the_older_of_two_messages_is_drawn_where_it_arrives_and_is_a_change_or_dropped() {
    for (dropped, mark) in [(false, "Change"), (true, "Refused")] {
        let calls = read(&messages_that_cross(dropped));
        assert!(calls.is_complete(), "{:?}", calls.flaws);
        let steps = steps(&calls);
        let told = |at: u64, call: u32, mark: &str, state: &str, dropped: bool| {
            let arrival = Arrival {
                at: crate::testing::START + at * 1_000_000,
                state: state.to_owned(),
                dropped,
            };
            format!("{at} {mark}, {call}: {:?}", CallEvent::Told(arrival))
        };
        let expected = [
            "0 1 /orders".to_owned(),
            "2 2 /inventory/notifications".to_owned(),
            "18 3 /inventory/notifications".to_owned(),
            "20 1: 200 ".to_owned(),
            told(22, 3, "Change", "confirmed", false),
            "24 3: 200 ".to_owned(),
            told(1500, 2, mark, "accepted", dropped),
            "1502 2: 200 ".to_owned(),
        ];
        assert_eq!(steps, expected);
    }
}

#[test]
fn an_order_with_a_listener_is_whole_only_with_its_messages() {
    let (made, spans) = messages_that_cross(true);
    for state in ["accepted", "confirmed"] {
        let missing = |span: &&Span| span.id != format!("client-{state}");
        let spans: Vec<_> = spans.iter().filter(missing).cloned().collect();
        assert_eq!(read(&(made.clone(), spans)).flaws, [Flaw::Missing(Part::Messages)], "{state}");
    }
}

#[test]
fn a_change_of_a_price_is_an_effect_of_its_call() {
    let made = vec![call("put", 0..5, "PUT", "/inventory/items/cake/price").status(200)];
    let served = served("in-put", "put", 1..4, "/inventory/items/{item}/price").status(200);
    let mut change = span("change", "in-put", Kind::Internal, 2..3)
        .text(attribute::PRICE_ITEM, "cake")
        .with(attribute::PRICE_BEFORE, Value::Int(400))
        .with(attribute::PRICE_AFTER, Value::Int(500));
    change.name = "change price".to_owned();
    let calls = Calls::of(&[served, change], &made).unwrap();
    let [(1, Effect::Changed(change))] = calls.effects()[..] else { panic!("{calls:#?}") };
    let told = (change.kind, &*change.item, change.before, change.after);
    assert_eq!(told, (ChangeKind::Priced, "cake", 400, 500));
    assert!(calls.commits().is_empty());
}

/// Orders of so many customers, each with a call to the inventory below it.
fn orders(count: u64) -> Calls {
    let mut customers = Vec::new();
    let mut spans = Vec::new();
    for n in 0..count {
        let [order, service, reserve, inventory] =
            ["a", "b", "c", "d"].map(|letter| format!("{letter}{n}"));
        customers.push(call(&order, n..90, "POST", "/orders").status(200));
        let mut server = served(&service, &order, n + 1..80, "/orders").status(200);
        server.service = "order".to_owned();
        let mut client = call(&reserve, 50 + n..80, "POST", "/inventory/keys").status(200);
        client.parent = Some(service.clone());
        let inside = served(&inventory, &reserve, 51 + n..79, "/inventory/keys").status(200);
        spans.extend([server, client, inside]);
    }
    Calls::of(&spans, &customers).unwrap()
}

#[test]
fn of_many_calls_a_picture_shows_the_first_and_what_they_set_off() {
    let few = orders(MOST_DRAWN as u64);
    assert_eq!((few.drawn().count(), few.left_out()), (2 * MOST_DRAWN, 0));
    let many = orders(20);
    let drawn: Vec<_> = many.drawn().map(|call| (call.number, call.root)).collect();
    assert_eq!(drawn, [(1, 1), (2, 2), (3, 3), (21, 1), (22, 2), (23, 3)]);
    assert_eq!(many.left_out(), 17);
    assert_eq!(Diagram::of_calls(&many).bars.len(), 3);
}
