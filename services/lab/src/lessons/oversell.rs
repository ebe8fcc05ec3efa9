//! Oversell: twenty orders at once for ten pieces. If reading the stock and writing it back
//! are two steps, more is sold than there is.

use campuscafe_api::order::Lane;

use super::{Act, Experiment, Played, Script, Trial, Verdict};
use crate::messages::Message;

/// Pieces that there are.
pub(crate) const THERE_ARE: u64 = 10;

/// Customers who order one each at the same time.
pub(crate) const CUSTOMERS: usize = 20;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "oversell",
    trials: &[
        Trial {
            caption: "caption-oversell-1",
            act: Act::Script(Script::Oversell, Lane::Naive, sells_too_much),
        },
        Trial {
            caption: "caption-oversell-2",
            act: Act::Script(Script::Oversell, Lane::Cured, sells_what_there_is),
        },
    ],
    side_by_side: &[],
    same_view: &[],
};

/// How many of the customers were answered with this status.
fn told(played: &Played, status: u16) -> u64 {
    played.asked.iter().filter(|order| order.end == Ok(status)).count() as u64
}

fn sells_too_much(played: &Played) -> Verdict {
    let sold = told(played, 200);
    let why = || Message::new("why-oversell-1").with("sold", sold).with("left", played.stock().1);
    played.verdict(sold > THERE_ARE, played.gap() == 0, why)
}

fn sells_what_there_is(played: &Played) -> Verdict {
    let (sold, refused) = (told(played, 200), told(played, 409));
    let all = sold == THERE_ARE && sold + refused == CUSTOMERS as u64;
    let held = played.gap() == 0 && played.stock().1 == 0;
    played.verdict(all, held, || Message::new("why-oversell-2"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lessons::Conclusion::{NotShown, Shown};
    use crate::lessons::script::testing::{asked, played};

    /// So many of the twenty were confirmed, and so many pieces are left.
    fn after(lane: Lane, sold: usize, left: u64) -> Played {
        let mut played = played(lane);
        let status = |n| if n < sold { 200 } else { 409 };
        played.asked = (0..CUSTOMERS).map(|n| asked(Ok(status(n)), None)).collect();
        played.known = sold as u64;
        played.after.reservations = sold as u64;
        played.after.stock = [("cake".to_owned(), left)].into();
        played
    }

    #[test]
    fn the_race_is_shown_only_if_more_is_sold_than_there_is_and_each_is_reserved() {
        for (sold, left, expected) in
            [(20, 9, Shown), (11, 0, Shown), (10, 0, NotShown), (0, 10, NotShown)]
        {
            let verdict = sells_too_much(&after(Lane::Naive, sold, left));
            assert_eq!(verdict.conclusion, expected, "{sold} {left}");
        }
        let mut unreserved = after(Lane::Naive, 20, 9);
        unreserved.after.reservations = 10;
        assert_eq!(sells_too_much(&unreserved).conclusion, NotShown);
    }

    #[test]
    fn the_cure_is_shown_only_if_ten_are_sold_and_ten_refused() {
        for (sold, left, expected) in
            [(10, 0, Shown), (10, 1, NotShown), (9, 1, NotShown), (20, 9, NotShown)]
        {
            let verdict = sells_what_there_is(&after(Lane::Cured, sold, left));
            assert_eq!(verdict.conclusion, expected, "{sold} {left}");
        }
    }
}
