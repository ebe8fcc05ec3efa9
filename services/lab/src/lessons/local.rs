//! Local: a call over a network is not a local call.

use std::time::Duration;

use super::words::{instead, milliseconds};
use super::{Act, Experiment, Trial, Verdict, percentile};
use crate::messages::Message;

/// Calls of each kind.
const CALLS: usize = 1_000;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "local",
    trials: &[Trial { caption: "caption-local-1", act: Act::Calls { calls: CALLS, judge } }],
    side_by_side: &[],
    same_view: &[],
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
        let why = Message::new("why-local-1")
            .with("times", times.to_string())
            .with("slowest", milliseconds(calls.remote.percentile(100)))
            .with("failures", failures)
            .with("calls", calls.remote.times.len() + failures);
        if times >= 10 { why } else { instead(why) }
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
