//! Local: a call over a network is not a local call.

use std::time::Duration;

use super::{Act, Experiment, LookAt, Trial, Verdict, percentile};

/// Calls of each kind.
const CALLS: usize = 1_000;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "local",
    title: "the same rule as a local call and over the network",
    trials: &[Trial {
        caption: "A thousand reservations in this process, and a thousand through both services.",
        act: Act::Calls { calls: CALLS, judge },
    }],
    side_by_side: &[],
    same_view: &[],
    look_at: LookAt {
        jaeger: "each call over the network has four spans; the rule itself is the shortest part",
        grafana: "order_outcomes_total{outcome=\"confirmed\"} rises by a thousand",
    },
};

/// How long calls of one kind took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Calls {
    /// In rising order.
    pub(crate) times: Vec<Duration>,
    pub(crate) failures: usize,
}

/// The same calls in both ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalAndRemote {
    pub(crate) local: Calls,
    pub(crate) remote: Calls,
    pub(crate) trace_id: Option<String>,
}

impl Calls {
    pub(crate) fn new(mut times: Vec<Duration>, failures: usize) -> Self {
        times.sort_unstable();
        Self { times, failures }
    }

    /// The time within which so many of 100 calls ended.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        percentile(&self.times, percent)
    }
}

fn judge(calls: &LocalAndRemote) -> Verdict {
    let (local, remote) = (calls.local.percentile(50), calls.remote.percentile(50));
    let times = remote.as_nanos().checked_div(local.as_nanos().max(1)).unwrap_or_default();
    Verdict::of(times >= 10, true, Vec::new(), || {
        let failures = calls.remote.failures;
        format!(
            "{}The median call over the network took {times} times as long as the median local call, \
             and the slowest took {:.2} ms. {failures} of {} failed. A local call cannot be lost on its \
             way.",
            if times >= 10 { "" } else { "The expected effect did not happen: " },
            calls.remote.percentile(100).as_secs_f64() * 1e3,
            calls.remote.times.len() + failures,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shows_only_where_the_network_costs_at_least_ten_times_as_much() {
        for (remote, shown) in [(900, true), (5, false)] {
            let of = |us| Calls::new(vec![Duration::from_micros(us); 10], 0);
            let calls = LocalAndRemote { local: of(1), remote: of(remote), trace_id: None };
            assert_eq!(judge(&calls).conclusion.is_shown(), shown);
        }
    }

    #[test]
    fn a_percentile_is_the_time_within_which_so_many_ended() {
        let calls = Calls::new((1..=200).rev().map(Duration::from_millis).collect(), 0);
        let percentiles = [0, 50, 99, 100].map(|percent| calls.percentile(percent).as_millis());
        assert_eq!(percentiles, [1, 100, 198, 200]);
        assert_eq!(Calls::new(Vec::new(), 3).percentile(99), Duration::ZERO);
    }
}
