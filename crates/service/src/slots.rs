//! Which connections are open, which of them wait for their client, and which
//! one has to go when there are too many.
//!
//! It uses no clock and no socket. A count gives the order in which connections became
//! idle, and a connection that is told to close closes its own socket.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use campuscafe_telemetry::{Counter, Gauge, Metric, Metrics};
use tokio::sync::{Notify, oneshot};

use crate::lock::locked;

/// Slots beyond the limit, for when every connection is busy: a probe and a
/// scrape must still be answered, or a service that is merely busy is restarted.
pub(crate) const PROBE_SLOTS: usize = 8;

const OPEN: Metric = Metric { name: "http_server_connections", help: "Connections that are open." };

const CLOSED: Metric = Metric {
    name: "http_server_connections_closed_total",
    help: "Connections that were closed, by reason: idle_at_cap and refused_at_cap mean that \
           --max-connections was reached.",
};

/// Why a connection was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CloseReason {
    /// The client closed it, or the last answer was sent.
    Done,
    /// The client broke it, or what it sent is not HTTP.
    Error,
    /// The client sent nothing for too long.
    IdleTimeout,
    /// The client did not finish the head of a request in time.
    HeadTimeout,
    /// The client did not read its answer.
    WriteTimeout,
    /// Of the idle ones it was the first to go when another connection came at the limit.
    IdleAtCap,
    /// It came at the limit, and no other connection was idle.
    RefusedAtCap,
    /// The same when the process ran out of file descriptors.
    NoDescriptors,
    /// A fault cut it.
    Cut,
    /// The service ended.
    Drain,
}

impl CloseReason {
    const ALL: [Self; 10] = [
        Self::Done,
        Self::Error,
        Self::IdleTimeout,
        Self::HeadTimeout,
        Self::WriteTimeout,
        Self::IdleAtCap,
        Self::RefusedAtCap,
        Self::NoDescriptors,
        Self::Cut,
        Self::Drain,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Error => "error",
            Self::IdleTimeout => "idle_timeout",
            Self::HeadTimeout => "head_timeout",
            Self::WriteTimeout => "write_timeout",
            Self::IdleAtCap => "idle_at_cap",
            Self::RefusedAtCap => "refused_at_cap",
            Self::NoDescriptors => "no_descriptors",
            Self::Cut => "cut",
            Self::Drain => "drain",
        }
    }
}

/// What a connection may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotKind {
    /// Everything.
    Any,
    /// Probes and scrapes only: it is one of the [`PROBE_SLOTS`].
    Probes,
}

/// When the client of an idle connection may send its next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NextRequest {
    /// It was refused, and told to come later. Its connection is the first to go: if the one
    /// that was idle longest went, that would be the one whose client comes next, wherever
    /// clients come in turn.
    Later,
    AnyTime,
}

/// Of two idle connections, the lesser one is the first to go.
type Idle = (NextRequest, u64);

/// The slots of one server.
#[derive(Clone)]
pub(crate) struct ConnectionSlots {
    shared: Arc<Shared>,
}

struct Shared {
    max: usize,
    table: Mutex<SlotTable>,
    /// Told whenever a connection is gone.
    freed: Notify,
    open: Gauge,
    closed: [Counter; CloseReason::ALL.len()],
}

#[derive(Default)]
struct SlotTable {
    /// Counts connections and their becoming idle, so that no two are equal.
    count: u64,
    any: SlotClass,
    probes: SlotClass,
}

#[derive(Default)]
struct SlotClass {
    open: BTreeMap<u64, Entry>,
    /// The ids of the idle connections, the first to go first.
    idle: BTreeMap<Idle, u64>,
}

struct Entry {
    close: Option<oneshot::Sender<CloseReason>>,
    idle: Option<Idle>,
}

impl Entry {
    fn request_close(&mut self, reason: CloseReason) {
        if let Some(close) = self.close.take() {
            // Its task may be about to end by itself.
            let _ = close.send(reason);
        }
    }
}

impl SlotClass {
    fn evict(&mut self, reason: CloseReason) -> bool {
        let Some((_, id)) = self.idle.pop_first() else { return false };
        if let Some(mut entry) = self.open.remove(&id) {
            entry.request_close(reason);
        }
        true
    }
}

impl SlotTable {
    fn class(&mut self, kind: SlotKind) -> &mut SlotClass {
        match kind {
            SlotKind::Any => &mut self.any,
            SlotKind::Probes => &mut self.probes,
        }
    }

    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// Makes room for one more connection, where there is room to be had.
    fn make_room(&mut self, max: usize) -> Option<SlotKind> {
        if self.any.open.len() < max || self.any.evict(CloseReason::IdleAtCap) {
            return Some(SlotKind::Any);
        }
        let room =
            self.probes.open.len() < PROBE_SLOTS || self.probes.evict(CloseReason::IdleAtCap);
        room.then_some(SlotKind::Probes)
    }
}

impl ConnectionSlots {
    pub(crate) fn new(max: usize, metrics: &Metrics) -> Self {
        let closed =
            CloseReason::ALL.map(|reason| metrics.counter(CLOSED, &[("reason", reason.as_str())]));
        let shared = Shared {
            max,
            table: Mutex::default(),
            freed: Notify::new(),
            open: metrics.gauge(OPEN, &[]),
            closed,
        };
        Self { shared: Arc::new(shared) }
    }

    /// A slot for a new connection, which is idle at first, and what tells it
    /// to go. Without one, the connection must be closed.
    pub(crate) fn admit(&self) -> Option<(ConnectionSlot, oneshot::Receiver<CloseReason>)> {
        let (close, close_signal) = oneshot::channel();
        let mut table = self.shared.table();
        let Some(kind) = table.make_room(self.shared.max) else {
            self.shared.count(CloseReason::RefusedAtCap);
            return None;
        };
        let id = table.next();
        let idle = (NextRequest::AnyTime, id);
        let class = table.class(kind);
        class.open.insert(id, Entry { close: Some(close), idle: Some(idle) });
        class.idle.insert(idle, id);
        drop(table);
        self.shared.open.increment(1.0);
        Some((ConnectionSlot { shared: self.shared.clone(), id, kind }, close_signal))
    }

    /// Closes an idle connection, since the process has no file descriptor left for
    /// another; false if none is idle.
    pub(crate) fn evict(&self) -> bool {
        let mut table = self.shared.table();
        table.any.evict(CloseReason::NoDescriptors)
            || table.probes.evict(CloseReason::NoDescriptors)
    }

    /// Tells every connection to go, since the service ends.
    pub(crate) fn drain(&self) {
        let mut table = self.shared.table();
        for kind in [SlotKind::Any, SlotKind::Probes] {
            table
                .class(kind)
                .open
                .values_mut()
                .for_each(|entry| entry.request_close(CloseReason::Drain));
        }
    }

    /// Resolves when a connection is gone.
    pub(crate) async fn freed(&self) {
        self.shared.freed.notified().await;
    }
}

impl Shared {
    /// Held for a few steps, never across an await.
    fn table(&self) -> MutexGuard<'_, SlotTable> {
        locked(&self.table)
    }

    fn count(&self, reason: CloseReason) {
        self.closed[reason as usize].increment(1);
    }
}

/// The slot of one connection; drop it when the socket is closed.
pub(crate) struct ConnectionSlot {
    shared: Arc<Shared>,
    id: u64,
    kind: SlotKind,
}

impl ConnectionSlot {
    pub(crate) const fn kind(&self) -> SlotKind {
        self.kind
    }

    /// A request has come. False if the connection was told to go meanwhile; its
    /// slot belongs to another, so that the request must be refused.
    pub(crate) fn set_busy(&self) -> bool {
        let mut table = self.shared.table();
        let class = table.class(self.kind);
        let Some(entry) = class.open.get_mut(&self.id) else { return false };
        if let Some(idle) = entry.idle.take() {
            class.idle.remove(&idle);
        }
        true
    }

    /// The answer has been sent, and the connection waits for the next request.
    pub(crate) fn set_idle(&self, next: NextRequest) {
        let mut table = self.shared.table();
        let idle = (next, table.next());
        let class = table.class(self.kind);
        let Some(entry) = class.open.get_mut(&self.id) else { return };
        if let Some(before) = entry.idle.replace(idle) {
            class.idle.remove(&before);
        }
        class.idle.insert(idle, self.id);
    }

    /// Counts why the connection was closed.
    pub(crate) fn count(&self, reason: CloseReason) {
        self.shared.count(reason);
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut table = self.shared.table();
        let class = table.class(self.kind);
        if let Some(idle) = class.open.remove(&self.id).and_then(|entry| entry.idle) {
            class.idle.remove(&idle);
        }
        drop(table);
        self.shared.open.decrement(1.0);
        self.shared.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(max: usize) -> (ConnectionSlots, Metrics) {
        let metrics = Metrics::new("1");
        (ConnectionSlots::new(max, &metrics), metrics)
    }

    fn close_reason(evicted: &mut oneshot::Receiver<CloseReason>) -> Option<CloseReason> {
        evicted.try_recv().ok()
    }

    #[test]
    fn at_the_limit_the_connection_that_was_idle_longest_goes() {
        let (slots, _) = slots(3);
        let mut open: Vec<_> = (0..3).map(|_| slots.admit().unwrap()).collect();
        // The first one works and is idle again, so that the second is idle longest.
        assert!(open[0].0.set_busy());
        open[0].0.set_idle(NextRequest::AnyTime);
        let newcomer = slots.admit().unwrap();
        assert_eq!(newcomer.0.kind(), SlotKind::Any);
        let gone: Vec<_> = open.iter_mut().map(|(_, evicted)| close_reason(evicted)).collect();
        assert_eq!(gone, [None, Some(CloseReason::IdleAtCap), None]);
        assert!(!open[1].0.set_busy(), "a connection that must go takes no more requests");
    }

    #[test]
    fn a_connection_whose_client_was_told_to_come_later_goes_before_the_one_idle_longest() {
        let (slots, _) = slots(3);
        let mut open: Vec<_> = (0..3).map(|_| slots.admit().unwrap()).collect();
        for at in [2, 1] {
            assert!(open[at].0.set_busy());
            open[at].0.set_idle(NextRequest::Later);
        }
        let mut newcomers = Vec::new();
        let gone = [(); 3].map(|()| {
            newcomers.push(slots.admit().unwrap());
            open.iter_mut().position(|(_, evicted)| close_reason(evicted).is_some())
        });
        assert_eq!(gone, [Some(2), Some(1), Some(0)]);
    }

    #[test]
    fn when_all_are_busy_a_few_are_admitted_for_probes_and_these_make_room_for_each_other() {
        let (slots, metrics) = slots(2);
        let mut busy: Vec<_> = (0..2).map(|_| slots.admit().unwrap()).collect();
        assert!(busy.iter().all(|(slot, _)| slot.set_busy()));
        let mut reserve: Vec<_> = (0..=PROBE_SLOTS).map(|_| slots.admit().unwrap()).collect();
        assert!(reserve.iter().all(|(slot, _)| slot.kind() == SlotKind::Probes));
        assert_eq!(close_reason(&mut reserve[0].1), Some(CloseReason::IdleAtCap));
        assert!(reserve[1..].iter().all(|(slot, _)| slot.set_busy()));
        assert!(slots.admit().is_none(), "all are busy, the reserve too");
        assert!(busy.iter_mut().all(|(_, evicted)| close_reason(evicted).is_none()));
        let page = metrics.render();
        let line = "http_server_connections_closed_total{reason=\"refused_at_cap\"} 1";
        assert!(page.contains(line), "{page}");
    }

    #[test]
    fn a_connection_that_is_gone_leaves_its_place_and_nothing_else() {
        let (slots, metrics) = slots(1);
        for work in [false, true] {
            let (slot, _evicted) = slots.admit().unwrap();
            if work {
                assert!(slot.set_busy());
            }
            assert!(metrics.render().contains("http_server_connections 1"));
            drop(slot);
            let table = slots.shared.table();
            assert!(table.any.open.is_empty() && table.any.idle.is_empty());
        }
        assert!(metrics.render().contains("http_server_connections 0"));
        assert!(!slots.evict());
    }

    #[test]
    fn every_reason_is_there_at_zero_from_the_start() {
        let (_slots, metrics) = slots(1);
        let page = metrics.render();
        for reason in CloseReason::ALL {
            let reason = reason.as_str();
            let line = format!("http_server_connections_closed_total{{reason=\"{reason}\"}} 0");
            assert!(page.contains(&line), "no {line} in\n{page}");
        }
    }
}
