//! What spans make of the counters. Those of the services count for everybody; the spans of
//! a run are its own.

use campuscafe_api::order::Lane;
use campuscafe_attributes::CONNECTION_REFUSED;

use super::Counters;
use crate::calls::Calls;
use crate::message_order::{MessageOrder, Ping};
use crate::order_trace::{Asked, Attempt, Commit, End, OrderTrace, UnderKey};

/// What one order added. A label that the services add and no span tells is left out: the
/// attempts are counted by their result.
#[must_use]
pub fn of_order(order: &OrderTrace) -> Counters {
    let mut counters = Counters::new();
    let mut count = |series: String| *counters.entry(series).or_default() += 1;
    let in_lane = |name, label, value: &str| of_lane(name, &[(label, value)], order.lane);
    count(in_lane("order_outcomes_total", "outcome", &order.outcome));
    let again = order.later.iter().find(|later| later.asked == Asked::Again);
    if let Some(again) = again {
        count(in_lane("order_outcomes_total", "outcome", &again.outcome));
    }
    for attempt in &order.attempts {
        count(in_lane("order_attempts_total", "result", result(attempt)));
        // The first attempt of an order that was sent again is no retry of the service.
        if attempt.number > 1 && again.is_none_or(|again| attempt.sent < again.asked_at) {
            count(of_lane("order_retries_total", &[], order.lane));
        }
        let under_key = attempt.served.as_ref().and_then(|served| served.under_key);
        match under_key {
            Some(UnderKey::Replayed) => count("inventory_idempotent_replays_total".to_owned()),
            Some(UnderKey::Void) => count("inventory_voided_commits_total".to_owned()),
            None => {}
        }
    }
    if let Some(settled) = &order.settled {
        count(series("order_settled_total", &[("result", &settled.outcome)]));
    }
    for (_, commit) in order.commits() {
        count_commit(commit, &mut count);
    }
    counters
}

fn count_commit(commit: &Commit, count: &mut impl FnMut(String)) {
    let mut count = |name| count(of_lane(name, &[("item", &commit.item)], commit.lane));
    count("inventory_reservations_total");
    if commit.late {
        count("inventory_late_commits_total");
    }
    if commit.duplicate {
        count("inventory_duplicate_reservations_total");
    }
}

/// What the calls of a script added to the counters of the stock.
#[must_use]
pub fn of_calls(calls: &Calls) -> Counters {
    let mut counters = Counters::new();
    let mut count = |series: String| *counters.entry(series).or_default() += 1;
    for (_, commit) in calls.commits() {
        count_commit(commit, &mut count);
    }
    counters
}

/// What pings that were sent at once added: the replies that overtook one sent before them.
#[must_use]
pub fn of_pings(pings: &MessageOrder) -> Counters {
    let overtook = |one: &&Ping| {
        let passed = |other: &Ping| other.sent < one.sent && other.completed > one.completed;
        pings.pings.iter().any(passed)
    };
    let replies = pings.pings.iter().filter(overtook).count() as u64;
    let counted = (replies > 0).then(|| ("order_reordered_replies_total".to_owned(), replies));
    counted.into_iter().collect()
}

/// All of them together.
#[must_use]
pub fn sum(all: impl IntoIterator<Item = Counters>) -> Counters {
    let mut sum = Counters::new();
    for (series, by) in all.into_iter().flatten() {
        let total = sum.entry(series).or_default();
        *total = total.saturating_add(by);
    }
    sum
}

/// The result of an attempt, in the word of the metric.
fn result(attempt: &Attempt) -> &str {
    match &attempt.end {
        End::Answered(200..300) => "ok",
        End::Answered(_) => "rejected",
        End::Unanswered(reason) if reason == CONNECTION_REFUSED => "refused",
        End::Unanswered(reason) => reason,
    }
}

/// A series with the lane as its last label, if that is known.
fn of_lane(name: &str, labels: &[(&str, &str)], lane: Option<Lane>) -> String {
    match lane {
        Some(lane) => series(name, &[labels, &[("lane", lane.as_str())]].concat()),
        None => series(name, labels),
    }
}

/// A series with its labels, as the text format writes it.
fn series(name: &str, labels: &[(&str, &str)]) -> String {
    if labels.is_empty() {
        return name.to_owned();
    }
    let escaped =
        |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels = labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value)));
    format!("{name}{{{}}}", labels.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::from_spans::FromSpans as _;
    use crate::span::{Span, Value};
    use crate::testing::{answer, answered, double, order, resent, unanswered};

    fn of(spans: &[Span], plan: &str) -> Counters {
        of_order(&OrderTrace::of(spans, &answer(spans, plan)).expect("an order"))
    }

    fn counters(of: &[(&str, u64)]) -> Counters {
        of.iter().map(|(series, by)| ((*series).to_owned(), *by)).collect()
    }

    #[test]
    fn a_doubled_order_counts_both_commits_and_says_which_was_late_and_second() {
        let expected = counters(&[
            ("inventory_duplicate_reservations_total{item=\"cake\"}", 1),
            ("inventory_late_commits_total{item=\"cake\"}", 1),
            ("inventory_reservations_total{item=\"cake\"}", 2),
            ("order_attempts_total{result=\"ok\"}", 1),
            ("order_attempts_total{result=\"timeout\"}", 1),
            ("order_outcomes_total{outcome=\"confirmed\"}", 1),
            ("order_retries_total", 1),
        ]);
        assert_eq!(of(&double(), "slow,none"), expected);
    }

    #[test]
    fn an_order_that_names_its_lane_counts_there_alone() {
        let lane = campuscafe_attributes::ORDER_LANE;
        let mut spans = double();
        for span in &mut spans {
            span.attributes.insert(lane.to_owned(), Value::Text("cured".to_owned()));
        }
        let counted = of(&spans, "slow,none");
        assert!(counted.keys().all(|series| series.ends_with("lane=\"cured\"}")), "{counted:?}");
        assert_eq!(counted["order_retries_total{lane=\"cured\"}"], 1);
        assert_eq!(counted["order_outcomes_total{outcome=\"confirmed\",lane=\"cured\"}"], 1);
    }

    #[test]
    fn each_end_of_an_attempt_counts_under_its_own_result() {
        for (attempt, expected) in [
            (answered("one", 1..5, 200), "ok"),
            (answered("one", 1..5, 503), "rejected"),
            (unanswered("one", 1..5, "timeout"), "timeout"),
            (unanswered("one", 1..5, "connection_lost"), "connection_lost"),
            (unanswered("one", 1..5, "connection_refused"), "refused"),
        ] {
            let counted = of(&[order(6, "unknown", 504), attempt], "none");
            let series = format!("order_attempts_total{{result=\"{expected}\"}}");
            assert_eq!(counted.get(&series), Some(&1), "{counted:?}");
            assert_eq!(counted.len(), 2, "nothing is reserved or retried: {counted:?}");
        }
    }

    #[test]
    fn spans_of_another_order_in_the_same_trace_count_nothing() {
        let mut spans = double();
        let foreign = double().into_iter().map(|mut span| {
            span.id = format!("foreign-{}", span.id);
            span.parent = span.parent.map(|parent| format!("foreign-{parent}"));
            span.attributes.remove(campuscafe_attributes::ORDER_ID);
            span
        });
        spans.extend(foreign);
        spans.push(resent(unanswered("alone", 1..5, "timeout")));
        spans.last_mut().expect("a span").parent = Some("nowhere".to_owned());
        let answer = answer(&double(), "slow,none");
        let order = OrderTrace::of(&spans, &answer).expect("an order");
        assert_eq!(of_order(&order), of(&double(), "slow,none"));
    }

    #[test]
    fn a_reply_counts_once_however_many_it_overtook() {
        let ping = |(sent, completed)| Ping { sent, completed, after: 0 };
        for (places, expected) in [
            (&[(0, 2), (1, 0), (2, 1)][..], Some(2)),
            (&[(0, 1), (1, 2), (2, 0)], Some(1)),
            (&[(0, 0), (1, 1)], None),
        ] {
            let pings = places.iter().copied().map(ping).collect();
            let counted = of_pings(&MessageOrder { pings, missing: Vec::new() });
            assert_eq!(counted.values().next().copied(), expected, "{places:?}");
        }
    }

    #[test]
    fn a_sum_adds_what_has_the_same_name_and_a_name_is_written_as_the_services_write_it() {
        let two = [counters(&[("a", 1), ("b", 2)]), counters(&[("b", 3)])];
        assert_eq!(sum(two), counters(&[("a", 1), ("b", 5)]));
        assert_eq!(series("n", &[("item", "a\"\\\n")]), "n{item=\"a\\\"\\\\\\n\"}");
    }
}
