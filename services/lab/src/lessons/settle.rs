//! Settle: an answer that nothing is reserved is out of date as soon as the slow attempt
//! commits, unless the question also closes the key.

use campuscafe_api::order::Lane;

use super::{Act, Experiment, Played, Script, Trial, Verdict};
use crate::messages::Message;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "settle",
    trials: &[
        Trial { caption: "caption-settle-1", act: Act::Script(Script::Settle, Lane::Naive, asks) },
        Trial {
            caption: "caption-settle-2",
            act: Act::Script(Script::Settle, Lane::Cured, fences),
        },
    ],
    side_by_side: &[],
    same_view: &[],
};

fn asks(played: &Played) -> Verdict {
    let told =
        matches!(&*played.asked, [slow, ask] if slow.timed_out() && ask.is_answered(200, "none"));
    played.verdict(told, played.reservations() == 1, || Message::new("why-settle-1"))
}

fn fences(played: &Played) -> Verdict {
    let told =
        matches!(&*played.asked, [slow, ask] if slow.timed_out() && ask.is_answered(200, "void"));
    let held = played.found_void() && played.reservations() == 0;
    played.verdict(told, held, || Message::new("why-settle-2"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lessons::Conclusion::{NotShown, Shown};
    use crate::lessons::script::testing::{asked, late_attempt, played};

    #[test]
    fn asking_alone_is_shown_to_be_wrong_only_if_the_slow_attempt_commits_after_all() {
        for (says, reservations, expected) in
            [("none", 1, Shown), ("none", 0, NotShown), ("reserved", 1, NotShown)]
        {
            let mut played = played(Lane::Naive);
            played.asked = vec![asked(Err("timeout"), None), asked(Ok(200), Some(says))];
            played.after.reservations = reservations;
            assert_eq!(asks(&played).conclusion, expected, "{says} {reservations}");
        }
    }

    #[test]
    fn settling_is_shown_only_by_a_late_attempt_that_found_its_key_void() {
        for (says, void, expected) in
            [("void", true, Shown), ("void", false, NotShown), ("reserved", true, NotShown)]
        {
            let mut played = played(Lane::Cured);
            played.asked = vec![asked(Err("timeout"), None), asked(Ok(200), Some(says))];
            played.calls = Some(late_attempt(void));
            assert_eq!(fences(&played).conclusion, expected, "{says} {void}");
        }
    }
}
