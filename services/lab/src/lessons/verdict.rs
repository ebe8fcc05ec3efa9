//! What the evidence of a trial comes to.

use campuscafe_evidence::order::Order;
use campuscafe_evidence::pod_replacement::PodReplacement;

use super::{missing_customers, seen, seen_of_pod_replacement};

/// Whether the evidence shows what an experiment promises. The later, the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Conclusion {
    /// It does.
    Shown,
    /// Spans are missing, and without them it does not: nobody can say.
    Incomplete,
    /// It does not.
    NotShown,
}

impl Conclusion {
    /// The word for people.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "SHOWN",
            Self::Incomplete => "INCOMPLETE",
            Self::NotShown => "NOT SHOWN",
        }
    }

    /// The word for machines.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Incomplete => "incomplete",
            Self::NotShown => "not_shown",
        }
    }

    /// Whether it is what was promised.
    pub(crate) fn is_shown(self) -> bool {
        self == Self::Shown
    }
}

/// What the evidence says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) conclusion: Conclusion,
    /// Why, in a sentence or two.
    pub(crate) sentence: String,
    /// What keeps the spans from being whole evidence; empty where nothing does.
    pub(crate) incomplete: Vec<String>,
}

impl Verdict {
    /// The verdict on a promise of two parts: `told` holds if the answers are
    /// as promised, which no span can change; `held` if the rest is, which
    /// missing spans leave open.
    pub(crate) fn of(
        told: bool,
        held: bool,
        incomplete: Vec<String>,
        sentence: impl FnOnce() -> String,
    ) -> Self {
        let conclusion = match (told, held) {
            (true, true) => Conclusion::Shown,
            (true, false) if !incomplete.is_empty() => Conclusion::Incomplete,
            _ => Conclusion::NotShown,
        };
        let mut sentence = sentence();
        if let Some(note) = note(&incomplete) {
            sentence = format!("{sentence} {note}");
        }
        Self { conclusion, sentence, incomplete }
    }

    /// The verdict on an order: `told` is what its customer was told, `held`
    /// what the inventory holds.
    pub(super) fn on(
        order: &Order,
        told: bool,
        held: bool,
        sentence: impl FnOnce() -> String,
    ) -> Self {
        Self::of(told, held, order.incomplete.clone(), || {
            if told && held {
                sentence()
            } else {
                format!("The expected effect did not happen: {}.", seen(order))
            }
        })
    }

    /// The verdict on a pod replacement: `told` is what its customers were told, `held`
    /// what the pods did, which is known from spans.
    pub(super) fn on_pod_replacement(
        pod_replacement: &PodReplacement,
        told: bool,
        held: bool,
        sentence: impl FnOnce() -> String,
    ) -> Self {
        Self::of(told, held, missing_customers(pod_replacement), || {
            if told && held { sentence() } else { seen_of_pod_replacement(pod_replacement) }
        })
    }
}

/// The most flaws that a sentence names.
const NAMED: usize = 4;

/// What is missing, as a sentence.
fn note(incomplete: &[String]) -> Option<String> {
    let named = incomplete.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
    match incomplete.len() {
        0 => None,
        1..=NAMED => Some(format!("Evidence incomplete: {named}.")),
        all => Some(format!("Evidence incomplete: {named}; and {} more.", all - NAMED)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_spans_leave_open_what_the_inventory_holds_and_nothing_else() {
        use Conclusion::{Incomplete, NotShown, Shown};
        let lost = || vec!["the commit of attempt 2 is missing".to_owned()];
        for (told, held, incomplete, expected) in [
            (true, true, vec![], Shown),
            (true, true, lost(), Shown),
            (true, false, vec![], NotShown),
            (true, false, lost(), Incomplete),
            (false, true, lost(), NotShown),
            (false, false, lost(), NotShown),
            (false, false, vec![], NotShown),
        ] {
            let verdict = Verdict::of(told, held, incomplete.clone(), || "So it was.".to_owned());
            assert_eq!(verdict.conclusion, expected, "{told} {held} {incomplete:?}");
            let said = "So it was. Evidence incomplete: the commit of attempt 2 is missing.";
            let expected = if incomplete.is_empty() { "So it was." } else { said };
            assert_eq!(verdict.sentence, expected);
        }
    }

    #[test]
    fn a_sentence_names_a_few_flaws_and_counts_the_rest() {
        let flaws: Vec<_> = ('a'..='f').map(String::from).collect();
        let all = note(&flaws);
        assert_eq!(all.as_deref(), Some("Evidence incomplete: a; b; c; d; and 2 more."));
        assert_eq!(note(&flaws[..4]).as_deref(), Some("Evidence incomplete: a; b; c; d."));
        assert_eq!(note(&[]), None);
    }
}
