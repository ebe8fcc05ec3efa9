//! Which connections are open, which of them wait for their client, and which
//! one has to go when there are too many.
//!
//! No clock and no socket: the order in which connections became idle is a
//! count, and whoever is told to go closes its own socket.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use campuscafe_telemetry::{Counter, Gauge, Metric, Metrics};
use tokio::sync::{Notify, oneshot};

/// Places beyond the limit, for when every connection is busy: a probe and a
/// scrape must still be answered, or a service that is merely busy is restarted.
pub(crate) const RESERVE: usize = 8;

const OPEN: Metric = Metric { name: "http_server_connections", help: "Connections that are open." };

const CLOSED: Metric = Metric {
    name: "http_server_connections_closed_total",
    help: "Connections that were closed, by reason: idle_at_cap and refused_at_cap mean that \
           --max-connections was reached.",
};

/// Why a connection was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
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
    /// It was idle longest when another connection came at the limit.
    IdleAtCap,
    /// It came at the limit, and no other connection was idle.
    RefusedAtCap,
    /// It was idle longest when the process ran out of file descriptors.
    NoDescriptors,
    /// A fault cut it.
    Cut,
    /// The service ended.
    Drain,
}

impl Closed {
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
pub(crate) enum Use {
    /// Everything.
    Any,
    /// Probes and scrapes only: it is one of the [`RESERVE`].
    Probes,
}

/// The places of one server.
#[derive(Clone)]
pub(crate) struct Places {
    shared: Arc<Shared>,
}

struct Shared {
    max: usize,
    book: Mutex<Book>,
    /// Told whenever a connection is gone.
    freed: Notify,
    open: Gauge,
    closed: [Counter; Closed::ALL.len()],
}

#[derive(Default)]
struct Book {
    /// Counts connections and their becoming idle, so that no two are equal.
    count: u64,
    any: Class,
    probes: Class,
}

#[derive(Default)]
struct Class {
    open: BTreeMap<u64, Entry>,
    /// The ids of the idle connections, the one that was idle longest first.
    idle: BTreeMap<u64, u64>,
}

struct Entry {
    tell: Option<oneshot::Sender<Closed>>,
    idle_since: Option<u64>,
}

impl Entry {
    fn tell(&mut self, reason: Closed) {
        if let Some(tell) = self.tell.take() {
            // Its task may be about to end by itself.
            let _ = tell.send(reason);
        }
    }
}

impl Class {
    fn evict(&mut self, reason: Closed) -> bool {
        let Some((_, id)) = self.idle.pop_first() else { return false };
        if let Some(mut entry) = self.open.remove(&id) {
            entry.tell(reason);
        }
        true
    }
}

impl Book {
    fn class(&mut self, used_for: Use) -> &mut Class {
        match used_for {
            Use::Any => &mut self.any,
            Use::Probes => &mut self.probes,
        }
    }

    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// Makes room for one more connection, where there is room to be had.
    fn make_room(&mut self, max: usize) -> Option<Use> {
        if self.any.open.len() < max || self.any.evict(Closed::IdleAtCap) {
            return Some(Use::Any);
        }
        let room = self.probes.open.len() < RESERVE || self.probes.evict(Closed::IdleAtCap);
        room.then_some(Use::Probes)
    }
}

impl Places {
    pub(crate) fn new(max: usize, metrics: &Metrics) -> Self {
        let closed =
            Closed::ALL.map(|reason| metrics.counter(CLOSED, &[("reason", reason.as_str())]));
        let shared = Shared {
            max,
            book: Mutex::default(),
            freed: Notify::new(),
            open: metrics.gauge(OPEN, &[]),
            closed,
        };
        Self { shared: Arc::new(shared) }
    }

    /// A place for a new connection, which is idle at first, and what tells it
    /// to go. Without one, the connection must be closed.
    pub(crate) fn admit(&self) -> Option<(Place, oneshot::Receiver<Closed>)> {
        let (tell, told) = oneshot::channel();
        let mut book = self.shared.book();
        let Some(used_for) = book.make_room(self.shared.max) else {
            self.shared.count(Closed::RefusedAtCap);
            return None;
        };
        let id = book.next();
        let class = book.class(used_for);
        class.open.insert(id, Entry { tell: Some(tell), idle_since: Some(id) });
        class.idle.insert(id, id);
        drop(book);
        self.shared.open.increment(1.0);
        Some((Place { shared: self.shared.clone(), id, used_for }, told))
    }

    /// Closes the connection that was idle longest, since the process has no
    /// file descriptor left for another; false if none is idle.
    pub(crate) fn evict(&self) -> bool {
        let mut book = self.shared.book();
        book.any.evict(Closed::NoDescriptors) || book.probes.evict(Closed::NoDescriptors)
    }

    /// Tells every connection to go, since the service ends.
    pub(crate) fn drain(&self) {
        let mut book = self.shared.book();
        for used_for in [Use::Any, Use::Probes] {
            book.class(used_for).open.values_mut().for_each(|entry| entry.tell(Closed::Drain));
        }
    }

    /// Resolves when a connection is gone.
    pub(crate) async fn freed(&self) {
        self.shared.freed.notified().await;
    }
}

impl Shared {
    /// Held for a few steps, never across an await.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, reason: Closed) {
        self.closed[reason as usize].increment(1);
    }
}

/// The place of one connection; drop it when the socket is closed.
pub(crate) struct Place {
    shared: Arc<Shared>,
    id: u64,
    used_for: Use,
}

impl Place {
    pub(crate) const fn used_for(&self) -> Use {
        self.used_for
    }

    /// A request has come. False if the connection was told to go meanwhile; its
    /// place belongs to another, so that the request must be refused.
    pub(crate) fn begin(&self) -> bool {
        let mut book = self.shared.book();
        let class = book.class(self.used_for);
        let Some(entry) = class.open.get_mut(&self.id) else { return false };
        if let Some(since) = entry.idle_since.take() {
            class.idle.remove(&since);
        }
        true
    }

    /// The answer has been sent, and the connection waits for the next request.
    pub(crate) fn rest(&self) {
        let mut book = self.shared.book();
        let now = book.next();
        let class = book.class(self.used_for);
        let Some(entry) = class.open.get_mut(&self.id) else { return };
        if let Some(before) = entry.idle_since.replace(now) {
            class.idle.remove(&before);
        }
        class.idle.insert(now, self.id);
    }

    /// Counts why the connection was closed.
    pub(crate) fn count(&self, reason: Closed) {
        self.shared.count(reason);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut book = self.shared.book();
        let class = book.class(self.used_for);
        if let Some(since) = class.open.remove(&self.id).and_then(|entry| entry.idle_since) {
            class.idle.remove(&since);
        }
        drop(book);
        self.shared.open.decrement(1.0);
        self.shared.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(max: usize) -> (Places, Metrics) {
        let metrics = Metrics::new("1");
        (Places::new(max, &metrics), metrics)
    }

    fn told_to_go(evicted: &mut oneshot::Receiver<Closed>) -> Option<Closed> {
        evicted.try_recv().ok()
    }

    #[test]
    fn at_the_limit_the_connection_that_was_idle_longest_goes() {
        let (places, _) = places(3);
        let mut open: Vec<_> = (0..3).map(|_| places.admit().unwrap()).collect();
        // The first one works and rests again, so that the second is idle longest.
        assert!(open[0].0.begin());
        open[0].0.rest();
        let newcomer = places.admit().unwrap();
        assert_eq!(newcomer.0.used_for(), Use::Any);
        let gone: Vec<_> = open.iter_mut().map(|(_, evicted)| told_to_go(evicted)).collect();
        assert_eq!(gone, [None, Some(Closed::IdleAtCap), None]);
        assert!(!open[1].0.begin(), "a connection that must go takes no more requests");
    }

    #[test]
    fn when_all_are_busy_a_few_are_admitted_for_probes_and_these_make_room_for_each_other() {
        let (places, metrics) = places(2);
        let mut busy: Vec<_> = (0..2).map(|_| places.admit().unwrap()).collect();
        assert!(busy.iter().all(|(place, _)| place.begin()));
        let mut reserve: Vec<_> = (0..=RESERVE).map(|_| places.admit().unwrap()).collect();
        assert!(reserve.iter().all(|(place, _)| place.used_for() == Use::Probes));
        assert_eq!(told_to_go(&mut reserve[0].1), Some(Closed::IdleAtCap));
        assert!(reserve[1..].iter().all(|(place, _)| place.begin()));
        assert!(places.admit().is_none(), "all are busy, the reserve too");
        assert!(busy.iter_mut().all(|(_, evicted)| told_to_go(evicted).is_none()));
        let page = metrics.render();
        let line = "http_server_connections_closed_total{reason=\"refused_at_cap\"} 1";
        assert!(page.contains(line), "{page}");
    }

    #[test]
    fn a_connection_that_is_gone_leaves_its_place_and_nothing_else() {
        let (places, metrics) = places(1);
        for work in [false, true] {
            let (place, _evicted) = places.admit().unwrap();
            if work {
                assert!(place.begin());
            }
            assert!(metrics.render().contains("http_server_connections 1"));
            drop(place);
            let book = places.shared.book();
            assert!(book.any.open.is_empty() && book.any.idle.is_empty());
        }
        assert!(metrics.render().contains("http_server_connections 0"));
        assert!(!places.evict());
    }

    #[test]
    fn every_reason_is_there_at_zero_from_the_start() {
        let (_places, metrics) = places(1);
        let page = metrics.render();
        for reason in Closed::ALL {
            let reason = reason.as_str();
            let line = format!("http_server_connections_closed_total{{reason=\"{reason}\"}} 0");
            assert!(page.contains(&line), "no {line} in\n{page}");
        }
    }
}
