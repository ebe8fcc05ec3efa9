//! Recover: a service that fails now and then is well in between.

use campuscafe_api::order::{Outcome, PlaceOrder};
use campuscafe_chaos::{Fault, SplitMix64, Step};

use super::series::{Layout, Series, SeriesOrder, SeriesPlan};
use super::{Act, Experiment, Trial, Verdict};
use crate::messages::Message;

const ORDERS: u64 = 12;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "recover",
    trials: &[Trial {
        caption: "caption-recover-1",
        act: Act::Series(SeriesPlan { orders, at_once: 1, layout: Layout::Bars }, judge),
    }],
    side_by_side: &[],
    same_view: &[],
};

/// What `flaky` comes to is drawn here, so that a seed repeats it at any café.
fn orders(item: &str, seed: u64) -> Vec<SeriesOrder> {
    let order =
        |fault: Fault| PlaceOrder { chaos: Some(fault.to_string()), ..PlaceOrder::of(item) };
    let faults = faults(seed).into_iter();
    faults.map(|fault| SeriesOrder { group: "flaky-orders", order: order(fault) }).collect()
}

/// The first dozen in which an order goes well right after one that failed: about one
/// dozen in forty has none.
fn faults(seed: u64) -> Vec<Fault> {
    let fault = |count| Step::Flaky.resolve(|| SplitMix64::nth(seed, count));
    let dozen = |n: u64| (n * ORDERS..(n + 1) * ORDERS).map(fault).collect::<Vec<_>>();
    let recovers = |faults: &Vec<Fault>| {
        faults.windows(2).any(|two| matches!(two, [Fault::Fail(_), Fault::None]))
    };
    (0..100).map(dozen).find(recovers).unwrap_or_default()
}

fn judge(series: &Series) -> Verdict {
    let outcomes: Vec<_> = series.results.iter().map(super::SeriesResult::outcome).collect();
    let count = |outcome| outcomes.iter().filter(|one| **one == outcome).count();
    let recovered =
        outcomes.windows(2).any(|two| two[0] != Outcome::Confirmed && two[1] == Outcome::Confirmed);
    let failed = count(Outcome::Failed);
    series.judged(recovered && failed > 0, true, || {
        let why = Message::new("why-recover-1")
            .with("orders", outcomes.len())
            .with("confirmed", count(Outcome::Confirmed))
            .with("failed", failed)
            .with("unknown", count(Outcome::Unknown));
        if recovered && failed > 0 { why } else { why.and(Message::new("by-chance")) }
    })
}

#[cfg(test)]
mod tests {
    use campuscafe_api::order::AttemptResult::{Ok, Rejected};

    use super::super::series::testing::{result, series};
    use super::*;

    #[test]
    fn every_seed_gives_a_dozen_that_recovers_and_the_same_one_again() {
        for seed in 0..2_000 {
            assert_eq!(faults(seed).len(), 12, "{seed}");
        }
        assert_eq!(faults(7), faults(7));
        assert_ne!(faults(7), faults(8));
    }

    #[test]
    fn it_shows_only_where_an_order_is_confirmed_after_one_that_was_not() {
        for (failures, shown) in [(&[1, 4][..], true), (&[], false), (&[9, 10, 11], false)] {
            let results = orders("cake", 7).into_iter().enumerate().map(|(n, sent)| match failures
                .contains(&n)
            {
                true => result(sent, Outcome::Failed, &[Rejected], 2, 0),
                false => result(sent, Outcome::Confirmed, &[Ok], 2, 1),
            });
            let verdict = judge(&series(results.collect()));
            assert_eq!(verdict.conclusion.is_shown(), shown, "{failures:?}: {verdict:?}");
        }
    }
}
