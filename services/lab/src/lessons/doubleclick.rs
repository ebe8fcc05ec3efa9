//! Doubleclick: a customer who presses twice places two orders, unless both presses have one
//! key.

use campuscafe_api::order::Lane;

use super::{Act, Experiment, Played, Script, Trial, Verdict};
use crate::messages::Message;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "doubleclick",
    trials: &[
        Trial {
            caption: "caption-doubleclick-1",
            act: Act::Script(Script::Doubleclick, Lane::Naive, two_orders),
        },
        Trial {
            caption: "caption-doubleclick-2",
            act: Act::Script(Script::Doubleclick, Lane::Cured, one_order),
        },
    ],
    side_by_side: &[],
    same_view: &[],
};

/// Whether both presses were confirmed, as so many orders.
fn confirmed(played: &Played, orders: u64) -> bool {
    let confirmed = played.asked.iter().filter(|press| press.is_answered(200, "confirmed"));
    (confirmed.count(), played.known) == (2, orders)
}

fn two_orders(played: &Played) -> Verdict {
    let held = played.reservations() == 2;
    played.verdict(confirmed(played, 2), held, || Message::new("why-doubleclick-1"))
}

fn one_order(played: &Played) -> Verdict {
    let held = played.reservations() == 1;
    played.verdict(confirmed(played, 1), held, || Message::new("why-doubleclick-2"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lessons::Conclusion::{NotShown, Shown};
    use crate::lessons::script::testing::{asked, played};

    #[test]
    fn each_trial_is_judged_by_the_orders_that_the_customer_knows_and_by_the_reservations() {
        for (known, reservations, naive, cured) in [
            (2, 2, Shown, NotShown),
            (1, 1, NotShown, Shown),
            (2, 1, NotShown, NotShown),
            (1, 2, NotShown, NotShown),
        ] {
            let mut played = played(Lane::Naive);
            played.asked = vec![asked(Ok(200), Some("confirmed")); 2];
            played.known = known;
            played.after.reservations = reservations;
            let judged = [two_orders(&played).conclusion, one_order(&played).conclusion];
            assert_eq!(judged, [naive, cured], "{known} {reservations}");
        }
    }
}
