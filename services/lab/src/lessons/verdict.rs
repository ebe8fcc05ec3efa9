//! What the evidence of a trial comes to.

use campuscafe_evidence::order::Order;
use campuscafe_evidence::pod_replacement::PodReplacement;

use super::words::{flaws, missing_customers, seen, seen_of_pods};
use crate::messages::{Message, Value};

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
    /// The message that says how a run is.
    pub(crate) const fn state(self) -> &'static str {
        match self {
            Self::Shown => "state-shown",
            Self::Incomplete => "state-incomplete",
            Self::NotShown => "state-not-shown",
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
    /// Why, in some sentences.
    pub(crate) why: Message,
    /// What keeps the spans from being whole evidence; empty where nothing does.
    pub(crate) incomplete: Vec<Message>,
}

impl Verdict {
    /// The verdict on a promise of two parts: `told` holds if the answers are
    /// as promised, which no span can change; `held` if the rest is, which
    /// missing spans leave open.
    pub(crate) fn of(
        told: bool,
        held: bool,
        incomplete: Vec<Message>,
        why: impl FnOnce() -> Message,
    ) -> Self {
        let conclusion = match (told, held) {
            (true, true) => Conclusion::Shown,
            (true, false) if !incomplete.is_empty() => Conclusion::Incomplete,
            _ => Conclusion::NotShown,
        };
        let why = match note(&incomplete) {
            Some(note) => why().and(note),
            None => why(),
        };
        Self { conclusion, why, incomplete }
    }

    /// The verdict on an order: `told` is what its customer was told, `held`
    /// what the inventory holds.
    pub(super) fn on(order: &Order, told: bool, held: bool, why: impl FnOnce() -> Message) -> Self {
        let incomplete = flaws(&order.incomplete);
        Self::of(told, held, incomplete, || if told && held { why() } else { seen(order) })
    }

    /// The verdict on a pod replacement: `told` is what its customers were told, `held`
    /// what the pods did, which is known from spans.
    pub(super) fn on_pod_replacement(
        pod_replacement: &PodReplacement,
        told: bool,
        held: bool,
        why: impl FnOnce() -> Message,
    ) -> Self {
        Self::of(told, held, missing_customers(pod_replacement), || {
            if told && held { why() } else { seen_of_pods(pod_replacement) }
        })
    }
}

/// The most flaws that a sentence names.
const NAMED: usize = 4;

/// What is missing, as a sentence.
fn note(incomplete: &[Message]) -> Option<Message> {
    let named: Vec<_> = incomplete.iter().take(NAMED).cloned().collect();
    let more = incomplete.len().saturating_sub(NAMED);
    let id = if more > 0 { "incomplete-and-more" } else { "incomplete" };
    let note = Message::new(id).with("flaws", Value::List(named, "semicolon")).with("more", more);
    (!incomplete.is_empty()).then_some(note)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::Language;

    #[test]
    fn missing_spans_leave_open_what_the_inventory_holds_and_nothing_else() {
        use Conclusion::{Incomplete, NotShown, Shown};
        let lost = || vec![Message::new("part-pings")];
        for (told, held, incomplete, expected) in [
            (true, true, vec![], Shown),
            (true, true, lost(), Shown),
            (true, false, vec![], NotShown),
            (true, false, lost(), Incomplete),
            (false, true, lost(), NotShown),
            (false, false, lost(), NotShown),
            (false, false, vec![], NotShown),
        ] {
            let why = || Message::new("why-slow-2");
            let verdict = Verdict::of(told, held, incomplete.clone(), why);
            assert_eq!(verdict.conclusion, expected, "{told} {held} {incomplete:?}");
            let said = Language::English.put(&verdict.why);
            assert_eq!(said.contains("Evidence incomplete: "), !incomplete.is_empty(), "{said}");
        }
    }

    #[test]
    fn a_sentence_names_a_few_flaws_and_counts_the_rest() {
        let flaws: Vec<_> =
            (0_u32..6).map(|n| Message::new("part-ping").with("number", n)).collect();
        let said = |flaws: &[Message]| note(flaws).map(|note| Language::English.put(&note));
        let four = "Evidence incomplete: the span of ping 0; the span of ping 1; the span of ping 2; \
                    the span of ping 3";
        assert_eq!(said(&flaws), Some(format!("{four}; and 2 more.").into()));
        assert_eq!(said(&flaws[..4]), Some(format!("{four}.").into()));
        assert_eq!(said(&[]), None);
    }
}
