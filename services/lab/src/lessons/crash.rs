//! Crash: what is committed outlives its process only if it is stored outside of it.

use campuscafe_api::order::{AttemptResult, Lane, Outcome};
use campuscafe_evidence::order::{Order, OrderPlan};

use super::words::{moment_of_last_commit, told};
use super::{Act, Experiment, Trial, Verdict, results};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "crash",
    trials: &[
        Trial { caption: "caption-crash-1", act: Act::Crash(PLAN, Store::Memory, forgotten) },
        Trial { caption: "caption-crash-2", act: Act::Crash(PLAN, Store::File, kept) },
        Trial { caption: "caption-crash-3", act: Act::Crash(PLAN, Store::Database, kept) },
    ],
    side_by_side: &[],
    same_view: &[],
};

/// The answer is held, so that there is time to kill the inventory between the commit and the
/// answer.
const PLAN: OrderPlan = OrderPlan { chaos: "hold", lane: Lane::Cured, ..OrderPlan::NAIVE };

/// Where the inventory has what it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    /// In its process.
    Memory,
    /// In a file.
    File,
    /// In a PostgreSQL database.
    Database,
}

fn forgotten(order: &Order) -> Verdict {
    let held = order.ledger.reservations == 0 && committed(order);
    Verdict::on(order, ended(order, Outcome::Failed), held, || why("why-crash-1", order))
}

fn kept(order: &Order) -> Verdict {
    let held = order.ledger.reservations == 1 && order.ledger.gap == 0 && committed(order);
    Verdict::on(order, ended(order, Outcome::Confirmed), held, || why("why-crash-kept", order))
}

/// Whether the customer was told that the outcome is unknown, and then that it is this one.
fn ended(order: &Order, outcome: Outcome) -> bool {
    results(order) == [AttemptResult::ConnectionLost]
        && order.response.status == 202
        && order.response.report.outcome == Outcome::Unknown
        && order.later.as_ref().is_some_and(|later| later.outcome == outcome)
}

/// Whether complete spans have the commit of the process that was killed. They are needed:
/// nothing else tells that there was one where it is forgotten.
fn committed(order: &Order) -> bool {
    order
        .complete_story()
        .is_some_and(|order_trace| order_trace.crash.is_some() && order_trace.commits().len() == 1)
}

fn why(id: &'static str, order: &Order) -> crate::messages::Message {
    let later = order.later.as_ref().map_or(order.response.after, |later| later.after);
    told(id, order).with("commit", moment_of_last_commit(order)).with("later", later)
}

#[cfg(test)]
mod tests {
    use campuscafe_api::order::Attempt;
    use campuscafe_evidence::from_spans::FromSpans as _;
    use campuscafe_evidence::order::Later;
    use campuscafe_evidence::order_trace::{Answered, Asked, Crash, OrderTrace, Restart};
    use campuscafe_evidence::span::Span;
    use campuscafe_evidence::testing::{MS, START, answer, commit, order as span, unanswered};

    use super::super::same_view::testing::finding;
    use super::*;
    use crate::lessons::Evidence;

    fn spans() -> Vec<Span> {
        vec![
            span(403, "unknown", 202),
            unanswered("one", 1..402, "connection_lost"),
            commit("in", 3, 10, false, false),
        ]
    }

    /// An order whose inventory was killed, and which the inventory then had or had not.
    fn order(spans: &[Span], kept: bool, later: Outcome) -> Order {
        let finding = finding("slow,none", None);
        let Evidence::Order(order) = &finding.evidence else { panic!("an order") };
        let mut order = (**order).clone();
        let restart = Some(Restart { at: START + 500 * MS, kept });
        let crash = Some(Crash { killed_at: START + 400 * MS, restart });
        let read = OrderTrace::of(spans, &Answered { crash, ..answer(spans, "hold") });
        order.response.status = 202;
        order.response.report.outcome = Outcome::Unknown;
        order.response.report.attempts = vec![Attempt {
            number: 1,
            result: AttemptResult::ConnectionLost,
            duration_ms: 401,
            status: None,
        }];
        order.ledger.reservations = read.as_ref().map_or(0, OrderTrace::held);
        order.ledger.gap =
            order.ledger.reservations.cast_signed() - i64::from(later == Outcome::Confirmed);
        order.incomplete = OrderTrace::incomplete(read.as_ref());
        order.order_trace = read;
        order.later = Some(Later {
            asked: Asked::State,
            status: 200,
            outcome: later,
            after: order.response.after,
            history: Vec::new(),
        });
        order
    }

    #[test]
    fn memory_has_forgotten_and_a_store_has_kept_only_where_the_order_ended_so_too() {
        use Outcome::{Confirmed, Failed, Unknown};
        for (is_kept, later, shows_forgotten, shows_kept) in [
            (false, Failed, true, false),
            (false, Confirmed, false, false),
            (false, Unknown, false, false),
            (true, Confirmed, false, true),
            (true, Failed, false, false),
            (true, Unknown, false, false),
        ] {
            let order = order(&spans(), is_kept, later);
            assert_eq!(forgotten(&order).conclusion.is_shown(), shows_forgotten, "{later:?}");
            assert_eq!(kept(&order).conclusion.is_shown(), shows_kept, "{later:?}");
        }
    }

    #[test]
    fn without_the_span_of_the_commit_nobody_can_say_that_it_was_forgotten() {
        let order = order(&spans()[..2], false, Outcome::Failed);
        assert_eq!(forgotten(&order).conclusion, crate::lessons::Conclusion::Incomplete);
    }
}
