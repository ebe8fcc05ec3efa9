//! Stale: of two changes the older arrives last. Without a version it wins.

use campuscafe_api::order::Lane;
use campuscafe_evidence::calls::Effect;

use super::{Act, Asked, Experiment, Played, Script, Trial, Verdict};
use crate::messages::Message;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "stale",
    trials: &[
        Trial {
            caption: "caption-stale-1",
            act: Act::Script(Script::Stale, Lane::Naive, last_wins),
        },
        Trial {
            caption: "caption-stale-2",
            act: Act::Script(Script::Stale, Lane::Cured, stale_is_refused),
        },
    ],
    side_by_side: &[],
    same_view: &[],
};

/// The older change, the newer one, and the price that is read in the end.
fn changes(played: &Played) -> Option<[&Asked; 3]> {
    match &*played.asked {
        [_, older, newer, end] => Some([older, newer, end]),
        _ => None,
    }
}

/// Whether these changes were made in this order of time, as their spans tell: 2 is the
/// older. Without spans the answers alone must do.
fn made(played: &Played, expected: &[u32]) -> bool {
    played.whole().is_none_or(|calls| {
        let effects = calls.effects().into_iter();
        let made = effects.filter(|(_, it)| matches!(it, Effect::Changed(_))).map(|(it, _)| it);
        made.eq(expected.iter().copied())
    })
}

fn last_wins(played: &Played) -> Verdict {
    let told = changes(played).is_some_and(|[older, newer, end]| {
        newer.end == Ok(200) && older.end == Ok(200) && end.says == older.says
    });
    played.verdict(told, made(played, &[3, 2]), || Message::new("why-stale-1"))
}

fn stale_is_refused(played: &Played) -> Verdict {
    let told = changes(played).is_some_and(|[older, newer, end]| {
        newer.end == Ok(200) && older.end == Ok(412) && end.says == newer.says
    });
    played.verdict(told, made(played, &[3]), || Message::new("why-stale-2"))
}

#[cfg(test)]
mod tests {
    use campuscafe_attributes as attribute;
    use campuscafe_evidence::calls::Calls;
    use campuscafe_evidence::from_spans::FromSpans as _;
    use campuscafe_evidence::span::{Kind, Span, Value};
    use campuscafe_evidence::testing::{With as _, span};

    use super::*;
    use crate::lessons::Conclusion::{NotShown, Shown};
    use crate::lessons::script::testing::{asked, played};

    const READ: (u16, &str) = (200, "400 v1");
    const NEWER: (u16, &str) = (200, "600 v2");

    fn calls(changes: &[(&str, u64)]) -> Calls {
        let ids = ["1", "2", "3", "4"];
        let sent = (0..).zip(ids);
        let made = sent.map(|(at, id)| span(id, "", Kind::Client, at..99).status(200)).collect();
        let mut spans: Vec<Span> = ids
            .iter()
            .map(|id| span(&format!("s{id}"), id, Kind::Server, 5..90).status(200))
            .collect();
        spans.extend(changes.iter().map(|(call, at)| {
            let mut change =
                span(&format!("c{call}"), &format!("s{call}"), Kind::Internal, *at..90)
                    .text(attribute::PRICE_ITEM, "cake")
                    .with(attribute::PRICE_BEFORE, Value::Int(400))
                    .with(attribute::PRICE_AFTER, Value::Int(500));
            change.name = "change price".to_owned();
            change
        }));
        Calls::of(&spans, &made).unwrap()
    }

    fn told(older: (u16, &str), end: &str, changes: &[(&str, u64)]) -> Played {
        let answers = [READ, older, NEWER, (200, end)];
        let mut played = played(Lane::Naive);
        played.asked =
            answers.iter().map(|(status, says)| asked(Ok(*status), Some(says))).collect();
        played.calls = Some(calls(changes));
        played
    }

    #[test]
    fn the_last_to_arrive_wins_only_if_the_older_price_stands_in_the_end() {
        let (older, both) = ((200, "500 v3"), &[("3", 10), ("2", 20)][..]);
        for (older, end, changes, expected) in [
            (older, "500 v3", both, Shown),
            (older, "600 v2", both, NotShown),
            ((412, "v2"), "600 v2", both, NotShown),
            (older, "500 v3", &[("2", 10), ("3", 20)], NotShown),
            (older, "500 v3", &[("2", 10)], NotShown),
        ] {
            let verdict = last_wins(&told(older, end, changes));
            assert_eq!(verdict.conclusion, expected, "{older:?} {end} {changes:?}");
        }
    }

    #[test]
    fn the_cure_is_shown_only_if_the_older_change_is_refused_and_the_newer_price_stands() {
        let (refused, one) = ((412, "v2"), &[("3", 10)][..]);
        for (older, end, changes, expected) in [
            (refused, "600 v2", one, Shown),
            (refused, "500 v3", one, NotShown),
            ((200, "500 v3"), "600 v2", one, NotShown),
            (refused, "600 v2", &[("3", 10), ("2", 20)], NotShown),
        ] {
            let verdict = stale_is_refused(&told(older, end, changes));
            assert_eq!(verdict.conclusion, expected, "{older:?} {end} {changes:?}");
        }
    }
}
