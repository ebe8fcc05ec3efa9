//! Overtake: a cancel that comes before the reservation finds nothing to cancel, unless it
//! closes the key.

use campuscafe_api::order::Lane;

use super::{Act, Experiment, Played, Script, Trial, Verdict};
use crate::messages::Message;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "overtake",
    trials: &[
        Trial {
            caption: "caption-overtake-1",
            act: Act::Script(Script::Overtake, Lane::Naive, finds_nothing),
        },
        Trial {
            caption: "caption-overtake-2",
            act: Act::Script(Script::Overtake, Lane::Cured, leaves_a_mark),
        },
    ],
    side_by_side: &[],
    same_view: &[],
};

/// Whether the customer was told that the order is cancelled.
fn is_cancelled(played: &Played) -> bool {
    played.asked.len() == 2
        && played.asked.iter().any(|cancel| cancel.is_answered(200, "cancelled"))
}

fn finds_nothing(played: &Played) -> Verdict {
    let lost = played.reservations() == 1;
    played.verdict(is_cancelled(played), lost, || Message::new("why-overtake-1"))
}

fn leaves_a_mark(played: &Played) -> Verdict {
    let held = played.found_void() && played.reservations() == 0;
    played.verdict(is_cancelled(played), held, || Message::new("why-overtake-2"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lessons::Conclusion::{NotShown, Shown};
    use crate::lessons::script::testing::{asked, late_attempt, played};

    #[test]
    fn a_cancel_is_lost_only_if_it_was_confirmed_and_a_reservation_is_there_all_the_same() {
        for (says, reservations, expected) in
            [("cancelled", 1, Shown), ("cancelled", 0, NotShown), ("cancelling", 1, NotShown)]
        {
            let mut played = played(Lane::Naive);
            played.asked = vec![asked(Ok(504), Some("unknown")), asked(Ok(200), Some(says))];
            played.after.reservations = reservations;
            assert_eq!(finds_nothing(&played).conclusion, expected, "{says} {reservations}");
        }
    }

    #[test]
    fn the_cure_is_shown_only_by_a_late_attempt_that_found_its_key_void() {
        for (void, expected) in [(true, Shown), (false, NotShown)] {
            let mut played = played(Lane::Cured);
            played.asked = vec![asked(Ok(409), None), asked(Ok(200), Some("cancelled"))];
            played.calls = Some(late_attempt(void));
            assert_eq!(leaves_a_mark(&played).conclusion, expected, "{void}");
        }
    }
}
