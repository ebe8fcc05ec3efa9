//! Traces in the order of their arrival.

use std::collections::{HashMap, VecDeque};

use super::trace::Trace;
use crate::id::TraceId;

/// Some traces, and what they take.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) traces: HashMap<TraceId, Trace>,
    /// The ids of `traces`, and of some that were taken out.
    arrivals: VecDeque<TraceId>,
    pub(super) bytes: usize,
}

impl Kept {
    pub(super) fn get(&self, id: TraceId) -> Option<&Trace> {
        self.traces.get(&id)
    }

    /// Their ids, the newest first.
    pub(super) fn newest(&self) -> impl Iterator<Item = TraceId> {
        self.arrivals.iter().rev().copied()
    }

    /// Changes a trace, which may begin with that.
    pub(super) fn change<T>(
        &mut self,
        id: TraceId,
        begin: impl FnOnce() -> Trace,
        change: impl FnOnce(&mut Trace) -> T,
    ) -> T {
        let trace = self.traces.entry(id).or_insert_with(|| {
            let trace = begin();
            self.arrivals.push_back(id);
            self.bytes += trace.bytes();
            trace
        });
        self.bytes -= trace.bytes();
        let changed = change(trace);
        self.bytes += trace.bytes();
        changed
    }

    /// Takes a trace out. Its id stays among the arrivals until it is the oldest.
    pub(super) fn take(&mut self, id: TraceId) -> Option<Trace> {
        let taken = self.traces.remove(&id)?;
        self.bytes -= taken.bytes();
        Some(taken)
    }

    /// Removes the oldest if there are more than so many, or more than so many bytes. It
    /// may have been taken out before.
    pub(super) fn evict(
        &mut self,
        traces: usize,
        bytes: usize,
    ) -> Option<(TraceId, Option<Trace>)> {
        if self.arrivals.len() <= traces && self.bytes <= bytes {
            return None;
        }
        let oldest = self.arrivals.pop_front()?;
        Some((oldest, self.take(oldest)))
    }
}
