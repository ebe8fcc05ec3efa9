//! Who knows what, and that nobody knows what only another one can.

use campuscafe_attributes as attribute;
use serde_json::{Value, json, to_value};

use super::*;
use crate::diagram::Step;
use crate::from_spans::FromSpans as _;
use crate::order_trace::OrderTrace;
use crate::span::Span;
use crate::testing::{With as _, answer, answered, commit, double, order, served, unanswered};

const PARTIES: [Lane; 3] = [Lane::Customer, Lane::Order, Lane::Inventory];

fn diagram(spans: &[Span]) -> Diagram {
    Diagram::of(&OrderTrace::of(spans, &answer(spans, "none")).expect("an order"))
}

/// What all know once this millisecond is over.
fn at(diagram: &Diagram, ms: u64) -> Knowledge {
    let over = diagram.steps.iter().filter(|step| diagram.ms(step.at) <= ms).count();
    Knowledge::at(diagram, over - 1)
}

fn part(knowledge: &Knowledge, party: Lane) -> Value {
    let part = match party {
        Lane::Customer => to_value(&knowledge.customer),
        Lane::Order => to_value(&knowledge.order),
        Lane::Inventory => to_value(&knowledge.inventory),
    };
    part.expect("knowledge is JSON")
}

/// What a party knows at each moment in which it takes part.
fn instants(diagram: &Diagram, party: Lane) -> Vec<Value> {
    let own =
        (0..diagram.steps.len()).filter(|step| diagram.steps[*step].known_to(party).is_some());
    own.map(|step| part(&Knowledge::at(diagram, step), party)).collect()
}

fn slow(commit_at: Option<u64>) -> Vec<Span> {
    let mut spans = vec![
        order(1003, "unknown", 504),
        unanswered("one", 1..1001, "timeout"),
        served("in", "one", 2..2003, "slow:2000").left_at(1002),
    ];
    spans.extend(commit_at.map(|ms| commit("in", ms, 10, ms > 1002, false)));
    spans
}

fn cut(chaos: &str, committed: bool) -> Vec<Span> {
    let server =
        served("in", "one", 2..4, chaos).text(attribute::ERROR_TYPE, attribute::CONNECTION_ABORTED);
    let mut spans =
        vec![order(6, "unknown", 504), unanswered("one", 1..5, "connection_lost"), server];
    spans.extend(committed.then(|| commit("in", 3, 10, false, false)));
    spans
}

fn refused() -> Vec<Span> {
    vec![
        order(5, "failed", 502),
        answered("one", 1..4, 503),
        served("in", "one", 2..3, "fail:503").status(503),
    ]
}

/// The inventory answers at 1001 ms, when the caller has left or not quite.
fn in_the_last_moment(heard: bool) -> Vec<Span> {
    let attempt = match heard {
        true => answered("one", 1..1002, 200),
        false => unanswered("one", 1..1000, "timeout"),
    };
    vec![
        order(1004, if heard { "confirmed" } else { "unknown" }, 200),
        attempt,
        served("in", "one", 2..1002, "slow:1000").status(200),
        commit("in", 999, 10, false, false),
    ]
}

fn orders() -> Vec<Vec<Span>> {
    let unreachable = vec![order(3, "failed", 502), unanswered("one", 1..2, "connection_refused")];
    let cuts = [cut("abort", false), cut("lostreply", true)];
    let slow = [slow(None), slow(Some(3)), slow(Some(2002))];
    let rest = [double(), refused(), unreachable];
    let answers = [true, false].map(in_the_last_moment);
    [&cuts[..], &slow, &rest, &answers].concat()
}

#[test]
fn before_the_timeout_of_a_double_only_the_inventory_knows_that_nothing_is_reserved() {
    let then = at(&diagram(&double()), 500);
    let expected = json!({
        "customer": {"askedMs": 0, "told": null, "reserved": "unknown"},
        "order": {
            "askedMs": 0,
            "attempts": [{"number": 1, "sentMs": 1, "end": null, "reserved": "unknown"}],
            "certain": 0,
            "possible": 1,
            "settled": null,
            "told": null,
        },
        "inventory": {
            "attempts": [{
                "number": 1,
                "receivedMs": 1,
                "fault": "slow:2000",
                "commit": null,
                "found": null,
                "callerLeftMs": null,
                "answer": "notYet",
            }],
            "reservations": 0,
            "process": "first",
        },
    });
    assert_eq!(to_value(then).expect("JSON"), expected);
}

#[test]
fn after_the_answer_to_its_retry_the_order_service_counts_one_reservation_and_perhaps_two() {
    let then = at(&diagram(&double()), 1004);
    assert_eq!(then.customer.reserved, Certainty::Unknown, "nobody has told the customer");
    let attempts = json!([
        {
            "number": 1,
            "sentMs": 1,
            "end": {"noAnswer": {"atMs": 1001, "reason": "timeout"}},
            "reserved": "unknown",
        },
        {
            "number": 2,
            "sentMs": 1002,
            "end": {"answer": {"atMs": 1004, "status": 200}},
            "reserved": "yes",
        },
    ]);
    assert_eq!(part(&then, Lane::Order)["attempts"], attempts);
    assert_eq!((then.order.certain, then.order.possible), (1, 2));
    let [first, second] = &then.inventory.attempts[..] else { panic!("{then:#?}") };
    assert_eq!((first.caller_left_ms, &first.commit), (Some(1002), &None));
    assert_eq!(second.commit, Some(Committed { at_ms: 1003, late: false, duplicate: false }));
    assert_eq!((&second.answer, then.inventory.reservations), (&sent(1004), 1));
}

fn sent(at_ms: u64) -> Answer {
    Answer::Sent { at_ms, status: 200 }
}

#[test]
fn after_the_late_commit_of_a_double_only_the_inventory_knows_of_two_reservations() {
    let double = diagram(&double());
    let (before, then) = (at(&double, 1005), at(&double, 2002));
    assert_eq!((&before.customer, &before.order), (&then.customer, &then.order));
    assert_eq!(then.customer.reserved, Certainty::Yes);
    let told = then.customer.told.expect("an answer");
    assert_eq!((told.at_ms, told.status, &*told.outcome), (1005, Some(200), "confirmed"));
    assert_eq!((then.order.certain, then.order.possible), (1, 2));
    assert_eq!((before.inventory.reservations, then.inventory.reservations), (1, 2));
    let first = &then.inventory.attempts[0];
    assert_eq!(first.commit, Some(Committed { at_ms: 2002, late: true, duplicate: true }));
    assert_eq!(first.answer, Answer::NobodyLeft { at_ms: 2002 });
}

#[test]
fn how_an_attempt_ended_says_whether_it_reserved_or_that_nobody_can_know() {
    use Certainty::{No, Unknown, Yes};
    for (spans, customer, attempt, counted) in [
        (cut("lostreply", true), Unknown, Unknown, (0, 1)),
        (slow(None), Unknown, Unknown, (0, 1)),
        (refused(), No, No, (0, 0)),
        (in_the_last_moment(true), Yes, Yes, (1, 1)),
        (in_the_last_moment(false), Unknown, Unknown, (0, 1)),
        (
            vec![order(3, "failed", 502), unanswered("one", 1..2, "connection_refused")],
            No,
            No,
            (0, 0),
        ),
    ] {
        let then = at(&diagram(&spans), 5000);
        assert_eq!((then.customer.reserved, then.order.attempts[0].reserved), (customer, attempt));
        assert_eq!((then.order.certain, then.order.possible), counted, "{then:#?}");
    }
}

#[test]
fn what_became_of_its_answer_the_inventory_knows_only_as_far_as_it_sees() {
    for (spans, expected) in [
        (cut("abort", false), Answer::Cut { at_ms: 4 }),
        (slow(None), Answer::NobodyLeft { at_ms: 2003 }),
        (slow(Some(3)), Answer::NobodyLeft { at_ms: 2003 }),
        (refused(), Answer::Sent { at_ms: 4, status: 503 }),
        (in_the_last_moment(true), sent(1002)),
        (in_the_last_moment(false), sent(1002)),
    ] {
        let then = at(&diagram(&spans), 5000);
        assert_eq!(then.inventory.attempts[0].answer, expected, "{then:#?}");
    }
    let (heard, lost) = (in_the_last_moment(true), in_the_last_moment(false));
    let inventory = |spans: &[Span]| instants(&diagram(spans), Lane::Inventory);
    assert_eq!(inventory(&heard), inventory(&lost));
}

#[test]
fn orders_that_look_the_same_to_the_order_service_leave_it_the_same_knowledge_at_every_moment() {
    let cuts = [cut("abort", false), cut("lostreply", true)];
    let timeouts = [slow(None), slow(Some(3)), slow(Some(2002))];
    for worlds in [&cuts[..], &timeouts] {
        let diagrams: Vec<_> = worlds.iter().map(|spans| diagram(spans)).collect();
        let known = |party| diagrams.iter().map(move |diagram| instants(diagram, party));
        for party in [Lane::Customer, Lane::Order] {
            let all: Vec<_> = known(party).collect();
            assert!(all[0].len() >= 2 && all.iter().all(|one| *one == all[0]), "{all:#?}");
        }
        let mut inventories: Vec<_> =
            known(Lane::Inventory).map(|all| format!("{all:?}")).collect();
        inventories.dedup();
        assert_eq!(inventories.len(), worlds.len(), "only the inventory's column differs");
    }
}

fn takes_part(step: &Step, party: Lane) -> bool {
    let message = step.message.as_ref();
    message.is_some_and(|it| it.from == party || it.to == party && it.arrives)
        || step.mark.is_some_and(|mark| mark.lane == party)
        || step.note.as_ref().is_some_and(|note| note.lane() == party)
}

#[test]
fn without_the_steps_that_a_party_took_no_part_in_it_knows_the_same_at_every_moment() {
    for spans in orders() {
        let whole = diagram(&spans);
        for party in PARTIES {
            let mut own = Diagram { steps: Vec::new(), bars: Vec::new(), ..whole };
            for (at, step) in whole.steps.iter().enumerate() {
                own.steps.extend(takes_part(step, party).then(|| step.clone()));
                let (of_whole, of_own) = (Knowledge::at(&whole, at), Knowledge::at(&own, at));
                assert_eq!(part(&of_whole, party), part(&of_own, party), "{party:?} {at}");
            }
            assert!(own.steps.len() < whole.steps.len() || party == Lane::Order, "{party:?}");
        }
    }
}

#[test]
fn whatever_spans_of_others_are_missing_a_party_knows_the_same_at_each_of_its_moments() {
    let all = double();
    let whole = diagram(&all);
    let told = answer(&all, "slow,none");
    let of_order_service = |span: &&Span| ["order", "one", "two"].contains(&&*span.id);
    for (party, own) in [(Lane::Customer, 1), (Lane::Order, 3)] {
        let (kept, foreign): (Vec<_>, Vec<_>) =
            all.iter().partition(|span| of_order_service(span) && (own == 3 || span.id == "order"));
        assert_eq!(kept.len(), own);
        for subset in 0_u32..1 << foreign.len() {
            let some = foreign.iter().enumerate().filter(|(at, _)| subset & (1 << at) != 0);
            let spans = kept.iter().copied().chain(some.map(|(_, span)| *span)).cloned();
            let left = OrderTrace::of(&spans.collect::<Vec<_>>(), &told).expect("an order");
            let left = instants(&Diagram::of(&left), party);
            assert_eq!(left, instants(&whole, party), "{party:?} {subset:b}");
        }
    }
}

#[test]
fn what_the_inventory_did_before_the_attempt_seemed_to_arrive_is_not_lost() {
    let mut early = slow(Some(2002));
    let behind = |at: &mut u64| *at -= 10 * crate::testing::MS;
    for span in early.iter_mut().filter(|span| span.id.contains("in")) {
        behind(&mut span.start);
        behind(&mut span.end);
    }
    early[3].start = early[0].start - 5 * crate::testing::MS;
    let then = at(&diagram(&early), 5000);
    let [attempt] = &then.inventory.attempts[..] else { panic!("{then:#?}") };
    assert!(attempt.commit.is_some() && attempt.fault.is_some(), "{attempt:#?}");
}
