//! The ids of traces that were evicted.
//!
//! The spans of a trace come in several exports. Under load, a trace can be evicted
//! before its last spans arrive. They would begin the trace again: a fragment that
//! counts as the newest trace and evicts a whole one. Therefore a late span is
//! refused while its trace is remembered here.

use std::collections::{HashSet, VecDeque};

use crate::id::TraceId;

/// How many evicted traces are remembered. At 6,000 traces per second that is
/// 5 s, longer than the slowest fault that needs no second export of its own.
/// Together they take about 1.6 MB.
const MAX_REMEMBERED: usize = 32_768;

/// The traces that were evicted last.
#[derive(Debug, Default)]
pub(crate) struct Evicted {
    ids: HashSet<TraceId>,
    by_eviction: VecDeque<TraceId>,
}

impl Evicted {
    pub(crate) fn add(&mut self, id: TraceId) {
        if !self.ids.insert(id) {
            return;
        }
        self.by_eviction.push_back(id);
        if self.by_eviction.len() > MAX_REMEMBERED
            && let Some(oldest) = self.by_eviction.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    pub(crate) fn contains(&self, id: &TraceId) -> bool {
        self.ids.contains(id)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::testing::trace_id;

    #[test]
    fn the_oldest_is_forgotten_so_that_it_never_grows() {
        let mut evicted = Evicted::default();
        let last = u128::try_from(MAX_REMEMBERED).unwrap() + 1;
        for id in (1..=last).chain([last]) {
            evicted.add(trace_id(id));
        }
        assert!(!evicted.contains(&trace_id(1)));
        assert!(evicted.contains(&trace_id(2)) && evicted.contains(&trace_id(last)));
        assert_eq!(
            (evicted.ids.len(), evicted.by_eviction.len()),
            (MAX_REMEMBERED, MAX_REMEMBERED)
        );
    }
}
