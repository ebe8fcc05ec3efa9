//! Policy: timeout and retry are decisions, and each choice has a price.

use campuscafe_api::order::PlaceOrder;
use campuscafe_chaos::SplitMix64;

use super::series::{Layout, Series, SeriesOrder, SeriesPlan};
use super::{Act, Experiment, Trial, Verdict};
use crate::messages::Message;

/// Faults that every policy meets.
const FAULTS: u64 = 40;

/// The policies: the message that names it, limit of an attempt in milliseconds, retry.
const POLICIES: [(&str, u64, bool); 4] = [
    ("policy-short", 1_000, false),
    ("policy-short-retry", 1_000, true),
    ("policy-long", 3_000, false),
    ("policy-long-retry", 3_000, true),
];

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "policy",
    trials: &[Trial {
        caption: "caption-policy-1",
        act: Act::Series(SeriesPlan { orders, at_once: 80, layout: Layout::Groups }, judge),
    }],
    side_by_side: &[],
    same_view: &[],
};

/// The faults of both attempts of the order with this number.
fn faults(seed: u64, number: u64) -> String {
    let fault = |count| match SplitMix64::nth(seed, count).percent() {
        0..50 => "none".to_owned(),
        percent @ 50..80 => format!("slow:{}", 1_100 + 50 * (u64::from(percent) - 50)),
        80..90 => "fail".to_owned(),
        _ => "lostreply".to_owned(),
    };
    format!("{},{}", fault(2 * number), fault(2 * number + 1))
}

fn orders(item: &str, seed: u64) -> Vec<SeriesOrder> {
    let order = |(group, ms, retry)| {
        (0..FAULTS).map(move |number| SeriesOrder {
            group,
            order: PlaceOrder {
                chaos: Some(faults(seed, number)),
                retry_on_timeout: retry,
                attempt_timeout_ms: Some(ms),
                ..PlaceOrder::of(item)
            },
        })
    };
    POLICIES.into_iter().flat_map(order).collect()
}

fn judge(series: &Series) -> Verdict {
    let groups = series.groups();
    let [short, short_retry, long, long_retry] = &groups[..] else {
        return series.judged(false, true, || Message::new("seen-policy"));
    };
    let told = short_retry.confirmed > short.confirmed
        && long.unknown < short.unknown
        && long.p95 > short.p95;
    let held = short_retry.doubled > 0 && long_retry.doubled < short_retry.doubled;
    series.judged(told, held, || {
        Message::new("why-policy-1")
            .with("orders", short.orders)
            .with("short", short.confirmed)
            .with("retried", short_retry.confirmed)
            .with("doubled", short_retry.doubled)
            .with("long", long.unknown)
            .with("unknown", short.unknown)
            .with("p95", long.p95)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use campuscafe_api::order::{AttemptResult, Outcome};

    use super::super::series::testing::{result, series};
    use super::*;

    #[test]
    fn every_policy_meets_the_same_faults_and_another_seed_gives_others() {
        let chaos = |seed| -> Vec<_> {
            orders("cake", seed).into_iter().map(|one| one.order.chaos.unwrap()).collect()
        };
        let drawn = chaos(7);
        let (first, rest) = drawn.split_at(40);
        assert!(rest.chunks(40).all(|policy| policy == first));
        assert_ne!(drawn, chaos(8));
        let words: BTreeSet<_> =
            first.iter().map(|plan| plan.split([',', ':']).next().unwrap()).collect();
        assert_eq!(words, ["fail", "lostreply", "none", "slow"].into());
        assert!(drawn.iter().all(|plan| plan.parse::<campuscafe_chaos::Plan>().is_ok()));
    }

    #[test]
    fn it_does_not_show_where_a_retry_doubles_nothing() {
        let results = orders("cake", 7).into_iter();
        let all = results.map(|one| result(one, Outcome::Confirmed, &[AttemptResult::Ok], 5, 1));
        assert!(!judge(&series(all.collect())).conclusion.is_shown());
    }
}
