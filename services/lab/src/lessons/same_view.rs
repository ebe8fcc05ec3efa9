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
        let order = |chaos| {
            findings.iter().find_map(|finding| match &finding.evidence {
                Evidence::Order(order) if order.chaos() == chaos => Some(order),
                _ => None,
            })
        };
        let history = |order: &Order| LocalHistory::of_order_service(order.order_trace.as_ref()?);
        let placed = experiment.same_view.iter().copied();
        let runs = placed.filter_map(|chaos| Some((chaos, history(order(chaos)?)))).collect();
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

#[cfg(test)]
pub(crate) mod testing {
    use campuscafe_evidence::from_spans::FromSpans as _;
    use campuscafe_evidence::order_trace::OrderTrace;
    use campuscafe_evidence::testing::{answer, answered, order, unanswered};

    use super::*;

    /// An order whose only attempt ended like this after so many milliseconds.
    pub(crate) fn history(end: Result<i64, &str>, ms: u64) -> Option<LocalHistory> {
        let (attempt, outcome, status) = match end {
            Ok(200) => (answered("one", 1..ms, 200), "confirmed", 200),
            Ok(status) => (answered("one", 1..ms, status), "failed", 502),
            Err(reason) => (unanswered("one", 1..ms, reason), "unknown", 504),
        };
        let spans = [order(ms + 1, outcome, status), attempt];
        LocalHistory::of_order_service(&OrderTrace::of(&spans, &answer(&spans, "none"))?)
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
