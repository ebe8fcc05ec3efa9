//! Idempotent: with a key a retry reserves once, and a lost answer can be asked for.

use campuscafe_api::order::{AttemptResult, Lane, Outcome};
use campuscafe_evidence::order::{Order, OrderPlan};
use campuscafe_evidence::order_trace::UnderKey;

use super::words::{moment_of_last_commit, told};
use super::{Act, Experiment, Trial, Verdict, results};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "idempotent",
    trials: &[ONE_CAKE, SETTLED],
    side_by_side: &[],
    same_view: &[],
};

/// A retry that reserves once.
pub(super) const ONE_CAKE: Trial = Trial {
    caption: "caption-idempotent-1",
    act: Act::Order(
        OrderPlan { chaos: "slow,none", retry: true, lane: Lane::Cured, ..OrderPlan::NAIVE },
        one_cake,
    ),
};

/// A lost answer whose decision is asked for.
pub(super) const SETTLED: Trial = Trial {
    caption: "caption-idempotent-2",
    act: Act::Order(
        OrderPlan { chaos: "lostreply", lane: Lane::Cured, ..OrderPlan::NAIVE },
        settled,
    ),
};

fn one_cake(order: &Order) -> Verdict {
    use AttemptResult::{Ok, Timeout};
    let as_told =
        results(order) == [Timeout, Ok] && order.response.report.outcome == Outcome::Confirmed;
    let one = order.ledger.reservations == 1 && order.ledger.gap == 0;
    Verdict::on(order, as_told, one && !is_contradicted(order, &[1]), || {
        told("why-idempotent-1", order).with("commit", moment_of_last_commit(order))
    })
}

/// Whether complete spans show other attempts than these to be answered with the decision
/// of another one.
fn is_contradicted(order: &Order, replayed: &[u32]) -> bool {
    let of = |order_trace: &campuscafe_evidence::order_trace::OrderTrace| -> Vec<u32> {
        let found = order_trace.attempts.iter().filter(|attempt| {
            attempt.served.as_ref().and_then(|it| it.under_key) == Some(UnderKey::Replayed)
        });
        found.map(|attempt| attempt.number).collect()
    };
    order.complete_story().is_some_and(|order_trace| of(order_trace) != replayed)
}

fn settled(order: &Order) -> Verdict {
    let as_told = results(order) == [AttemptResult::ConnectionLost]
        && order.response.status == 202
        && order.response.report.outcome == Outcome::Unknown
        && order.later.as_ref().is_some_and(|later| later.outcome == Outcome::Confirmed);
    let one = order.ledger.reservations == 1 && order.ledger.gap == 0;
    let later = order.later.as_ref().map_or(order.response.after, |later| later.after);
    Verdict::on(order, as_told, one, || told("why-idempotent-2", order).with("later", later))
}

#[cfg(test)]
mod tests {
    use campuscafe_api::order::Attempt;
    use campuscafe_evidence::from_spans::FromSpans as _;
    use campuscafe_evidence::order::Later;
    use campuscafe_evidence::order_trace::{Asked, OrderTrace};
    use campuscafe_evidence::testing::{answer, double, keyed_double};

    use super::super::same_view::testing::finding;
    use super::*;
    use crate::lessons::Evidence;

    /// An order whose attempts ended like this, and that has so many reservations.
    fn order(results: &[AttemptResult], outcome: Outcome, reservations: u64) -> Order {
        let finding = finding("slow,none", None);
        let Evidence::Order(order) = &finding.evidence else { panic!("an order") };
        let mut order = (**order).clone();
        let attempts = (1..).zip(results).map(|(number, result)| Attempt {
            number,
            result: *result,
            duration_ms: 1,
            status: None,
        });
        order.response.report.attempts = attempts.collect();
        order.response.report.outcome = outcome;
        order.ledger.reservations = reservations;
        order.ledger.gap = reservations.cast_signed() - 1;
        order
    }

    #[test]
    fn one_cake_is_shown_only_if_there_is_one_and_the_spans_have_one_replay() {
        use AttemptResult::{Ok, Timeout};
        let retried = |reservations| order(&[Timeout, Ok], Outcome::Confirmed, reservations);
        assert!(one_cake(&retried(1)).conclusion.is_shown());
        assert!(!one_cake(&retried(2)).conclusion.is_shown());
        assert!(!one_cake(&order(&[Ok], Outcome::Confirmed, 1)).conclusion.is_shown());
        for (spans, shown) in [(keyed_double(), true), (double(), false)] {
            let order_trace = OrderTrace::of(&spans, &answer(&spans, "slow,none"));
            let order = Order { order_trace, ..retried(1) };
            assert_eq!(one_cake(&order).conclusion.is_shown(), shown);
        }
    }

    #[test]
    fn an_unknown_order_is_settled_only_if_its_customer_was_told_in_the_end() {
        let lost = |status: u16, outcome: Option<Outcome>| {
            let mut order = order(&[AttemptResult::ConnectionLost], Outcome::Unknown, 1);
            order.response.status = status;
            order.later = outcome.map(|outcome| Later {
                asked: Asked::State,
                status: 200,
                outcome,
                after: order.response.after,
                history: Vec::new(),
            });
            settled(&order).conclusion.is_shown()
        };
        assert!(lost(202, Some(Outcome::Confirmed)));
        assert!(!lost(202, Some(Outcome::Unknown)));
        assert!(!lost(202, None));
        assert!(!lost(504, Some(Outcome::Confirmed)), "it was told that the order failed");
    }
}
