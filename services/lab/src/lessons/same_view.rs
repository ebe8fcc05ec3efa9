//! Orders that differ in fact and are the same to the order service.

use std::sync::Arc;

use campuscafe_evidence::local_history::{LocalHistory, first_difference};
use campuscafe_evidence::order::Order;

use super::{Conclusion, Evidence, Experiment, Finding};

/// What the order service knows of several orders, to be compared.
pub(crate) struct SameView {
    /// The fault of each order and the history of the order service, if its spans
    /// are whole.
    pub(crate) runs: Vec<(&'static str, Option<LocalHistory>)>,
}

impl SameView {
    /// Those of an experiment, if two or more of them were placed.
    pub(crate) fn of(experiment: &Experiment, findings: &[Arc<Finding>]) -> Option<Self> {
        let history = |order: &Order| LocalHistory::of_order_service(order.order_trace.as_ref()?);
        let compared = compared(experiment, findings);
        let runs = compared.map(|(chaos, order)| (chaos, history(order))).collect();
        Some(Self { runs }).filter(|view| view.runs.len() > 1)
    }

    /// The histories that are known.
    pub(crate) fn known(&self) -> Vec<&LocalHistory> {
        self.runs.iter().filter_map(|(_, history)| history.as_ref()).collect()
    }

    /// The faults of the orders of which no history is known.
    pub(crate) fn unknown(&self) -> Vec<&'static str> {
        let unknown = self.runs.iter().filter(|(_, history)| history.is_none());
        unknown.map(|(chaos, _)| *chaos).collect()
    }

    /// The first event, from 0, by which the order service can tell two of them apart.
    pub(crate) fn first_difference(&self) -> Option<usize> {
        first_difference(&self.known())
    }

    /// Whether the order service cannot tell them apart.
    pub(crate) fn conclusion(&self) -> Conclusion {
        match (self.first_difference(), self.unknown().is_empty()) {
            (Some(_), _) => Conclusion::NotShown,
            (None, false) => Conclusion::Incomplete,
            (None, true) => Conclusion::Shown,
        }
    }
}

/// The orders of an experiment that are compared, each with its fault, in the order of the
/// experiment.
pub(crate) fn compared<'a>(
    experiment: &'a Experiment,
    findings: &'a [Arc<Finding>],
) -> impl Iterator<Item = (&'static str, &'a Order)> {
    experiment.same_view.iter().filter_map(|chaos| {
        findings.iter().find_map(|finding| match &finding.evidence {
            Evidence::Order(order) if order.chaos() == *chaos => Some((*chaos, &**order)),
            _ => None,
        })
    })
}

#[cfg(test)]
pub(crate) mod testing {
    use std::time::Duration;

    use campuscafe_evidence::from_spans::FromSpans as _;
    use campuscafe_evidence::ledger::Ledger;
    use campuscafe_evidence::order::{CustomerResponse, OrderPlan};
    use campuscafe_evidence::order_trace::OrderTrace;
    use campuscafe_evidence::testing::{answer, answered, order, unanswered};
    use campuscafe_evidence::waterfall::Waterfall;

    use super::*;
    use crate::lessons::Verdict;
    use crate::messages::Message;

    /// An order whose only attempt ended like this after so many milliseconds.
    pub(crate) fn order_trace(end: Result<i64, &str>, ms: u64) -> Option<OrderTrace> {
        let (attempt, outcome, status) = match end {
            Ok(200) => (answered("one", 1..ms, 200), "confirmed", 200),
            Ok(status) => (answered("one", 1..ms, status), "failed", 502),
            Err(reason) => (unanswered("one", 1..ms, reason), "unknown", 504),
        };
        let spans = [order(ms + 1, outcome, status), attempt];
        OrderTrace::of(&spans, &answer(&spans, "none"))
    }

    /// What was found of an order that met this fault.
    pub(crate) fn finding(chaos: &'static str, order_trace: Option<OrderTrace>) -> Arc<Finding> {
        let report = answer(&[order(5, "unknown", 504)], "none").report;
        let (words, after) = ("Order failed 💥".to_owned(), Duration::from_secs(1));
        let response = CustomerResponse { status: 504, words, report, after };
        let state = campuscafe_api::inventory::State { stock: [].into(), reservations: 0 };
        let ledger = Ledger::of("cake", response.report.outcome, &state, &state);
        let order = Order {
            request: OrderPlan { chaos, reservations: 0, ..OrderPlan::NAIVE }.order("cake", None),
            response,
            later: None,
            ledger,
            deltas: [].into(),
            order_trace,
            waterfall: Waterfall::default(),
            incomplete: Vec::new(),
            delivered: None,
        };
        let verdict = Verdict::of(true, true, Vec::new(), || Message::new("why-cut-1"));
        Arc::new(Finding {
            caption: "",
            evidence: Evidence::Order(Box::new(order)),
            verdict,
            had_span_source: true,
            in_lab: None,
            in_jaeger: None,
            in_grafana: None,
        })
    }

    /// What the order service knows of such an order.
    pub(crate) fn history(end: Result<i64, &str>, ms: u64) -> Option<LocalHistory> {
        LocalHistory::of_order_service(&order_trace(end, ms)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ALL, Act};
    use super::testing::history;
    use super::*;

    #[test]
    fn the_histories_decide_and_a_missing_one_leaves_it_open_unless_others_differ() {
        use Conclusion::{Incomplete, NotShown, Shown};
        let timeout = |ms| history(Err("timeout"), ms);
        let told = |status| history(Ok(status), 5);
        for (histories, expected) in [
            (vec![timeout(1000), timeout(1007)], Shown),
            (vec![timeout(1000), told(200)], NotShown),
            (vec![told(200), told(503)], NotShown),
            (vec![timeout(1000), None, timeout(1001)], Incomplete),
            (vec![None, None], Incomplete),
            (vec![timeout(1000), None, told(200)], NotShown),
        ] {
            let runs = histories.into_iter().map(|history| ("slow", history)).collect();
            let view = SameView { runs };
            assert_eq!(view.conclusion(), expected, "{:#?}", view.runs);
        }
    }

    #[test]
    fn what_is_compared_are_two_or_more_orders_of_the_experiment() {
        for experiment in ALL {
            let compared = experiment.same_view;
            assert_ne!(compared.len(), 1, "{}", experiment.name);
            for fault in compared {
                let placed = experiment.trials.iter().filter(
                    |trial| matches!(trial.act, Act::Order(plan, _) if plan.chaos == *fault),
                );
                assert_eq!(placed.count(), 1, "{}: {fault}", experiment.name);
            }
        }
        let compared = ALL.iter().filter(|experiment| !experiment.same_view.is_empty());
        assert_eq!(compared.map(|one| one.name).collect::<Vec<_>>(), ["slow", "cut"]);
    }
}
