//! Comparisons: one script with one seed through both lanes. The first trial is naive and
//! shows the pain; the second is cured and does not.

use campuscafe_api::order::{AttemptResult, Lane, Outcome};
use campuscafe_evidence::order::{Order, OrderPlan};

use super::words::told;
use super::{ALL, Act, Experiment, Trial, Verdict, double, idempotent, results};
use crate::messages::Message;

/// Comparisons of lessons whose cure is another lesson.
const OF_TWO_LESSONS: [&Experiment; 2] = [&DOUBLE, &CUT];

const DOUBLE: Experiment = Experiment {
    name: "double",
    trials: &[double::TWO_CAKES, idempotent::ONE_CAKE],
    side_by_side: &[],
    same_view: &[],
};

const CUT: Experiment = Experiment {
    name: "cut",
    trials: &[ORDERED_AGAIN, idempotent::SETTLED],
    side_by_side: &[],
    same_view: &[],
};

/// Without a key there is nobody to ask what became of the order.
const ORDERED_AGAIN: Trial = Trial {
    caption: "caption-compare-cut",
    act: Act::Order(
        OrderPlan { chaos: "lostreply", reservations: 2, again: true, ..OrderPlan::NAIVE },
        ordered_again,
    ),
};

fn ordered_again(order: &Order) -> Verdict {
    let as_told = results(order) == [AttemptResult::ConnectionLost]
        && order.response.report.outcome == Outcome::Unknown
        && order.later.as_ref().is_some_and(|later| later.outcome == Outcome::Confirmed);
    let later = order.later.as_ref().map_or(order.response.after, |later| later.after);
    Verdict::on(order, as_told, order.ledger.reservations == 2, || {
        told("why-compare-cut", order).with("later", later)
    })
}

/// Everything that can be compared: also the storm, whose one trial runs both lanes at once.
pub(crate) fn comparisons() -> impl Iterator<Item = &'static Experiment> {
    OF_TWO_LESSONS.into_iter().chain(ALL.into_iter().filter(|it| it.is_comparison()))
}

/// The comparison of this name.
pub(crate) fn comparison(name: &str) -> Option<&'static Experiment> {
    comparisons().find(|experiment| experiment.name == name)
}

impl Experiment {
    /// Whether its two trials are the same script in both lanes.
    pub(crate) fn compares(&self) -> bool {
        let lanes: Vec<_> = self.trials.iter().map(|trial| trial.act.lane()).collect();
        lanes == [Some(Lane::Naive), Some(Lane::Cured)]
    }

    /// Whether a run of the whole of it shows one script in both lanes.
    pub(crate) fn is_comparison(&self) -> bool {
        self.compares() || self.storm().is_some()
    }

    /// What the comparison is about, in a line.
    pub(crate) fn title_of_comparison(&self) -> Message {
        let of_two = OF_TWO_LESSONS.into_iter().any(|comparison| comparison.name == self.name);
        if of_two { Message::new(format!("title-compare-{}", self.name)) } else { self.title() }
    }

    /// The comparison that its lesson leads to.
    pub(crate) fn comparison(&self) -> Option<&'static Self> {
        // Its trials are the cured halves of two others.
        comparison(if self.name == "idempotent" { "double" } else { self.name })
    }
}

impl Act {
    /// The lane in which it goes, if it is one of a script that goes in both.
    pub(crate) const fn lane(&self) -> Option<Lane> {
        match self {
            Self::Order(plan, _) => Some(plan.lane),
            Self::Script(_, lane, _) => Some(*lane),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::Language;

    #[test]
    fn a_comparison_is_the_naive_lane_and_the_cured_one_under_one_name() {
        let names: Vec<_> = comparisons().map(|experiment| experiment.name).collect();
        assert!(names.starts_with(&["double", "cut"]), "{names:?}");
        for experiment in comparisons() {
            assert!(experiment.is_comparison(), "{}", experiment.name);
            let title = Language::English.put(&experiment.title_of_comparison());
            assert!(!title.starts_with("title-"), "{title}");
            assert_eq!(names.iter().filter(|name| **name == experiment.name).count(), 1);
            assert!(ALL.iter().any(|lesson| lesson.name == experiment.name), "it has a lesson");
        }
    }

    #[test]
    fn a_lesson_leads_to_the_comparison_that_cures_it() {
        let leads = |name: &str| {
            let lesson = ALL.into_iter().find(|lesson| lesson.name == name).unwrap();
            lesson.comparison().map(|comparison| comparison.name)
        };
        assert_eq!(leads("double"), Some("double"));
        assert_eq!(leads("cut"), Some("cut"));
        assert_eq!(leads("idempotent"), Some("double"));
        assert_eq!(leads("storm"), Some("storm"));
        assert_eq!(leads("jitter"), None);
    }
}
