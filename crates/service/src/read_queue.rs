//! The order in which connections are read.
//!
//! A runtime polls whatever is ready in the order in which it became ready. Under overload
//! most of that are connections with a new request, and each step of a request that is under
//! way waits behind all of them. So connections with a new request wait here, and only some
//! are read each time when everything else that was ready has had its turn.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::lock::locked;

/// How many connections are read each time: as few as can be, but if nobody waits, a read
/// costs only that part of a turn of the task that counts them.
const AT_A_TIME: usize = 8;

/// In how many rounds a connection was not read before its wait counts. If the whole process
/// stood still, its wait says nothing about how many others there are.
const LEAST_ROUNDS: u64 = 4;

/// How often a throttled connection is read if nobody had to wait meanwhile.
const SPARE_EVERY: Duration = Duration::from_millis(10);

/// Connections that have something to be read; shared by all connections of one server.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadQueue {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    /// Told when the last free turn is taken, and when the first connection is throttled.
    changed: Notify,
}

#[derive(Debug)]
struct Queue {
    /// How many connections may be read before the others have had their turn.
    free: usize,
    waiting: Tickets,
    throttled: Tickets,
    /// Whether a connection had to wait since a throttled one was read.
    is_busy: bool,
    /// How often turns were given.
    round: u64,
}

/// Oldest first. A connection that is closed, or waits no longer, leaves a dead one.
type Tickets = VecDeque<Weak<Mutex<Ticket>>>;

#[derive(Debug)]
struct Ticket {
    /// None when it is this connection's turn.
    waker: Option<Waker>,
}

/// The place of one connection in a queue, if it has one.
#[derive(Debug, Default)]
pub(crate) struct ReadPlace {
    waits: Option<Waits>,
}

#[derive(Debug)]
struct Waits {
    ticket: Arc<Mutex<Ticket>>,
    since: Instant,
    round: u64,
}

impl Default for Shared {
    fn default() -> Self {
        let queue = Queue {
            free: AT_A_TIME,
            waiting: Tickets::new(),
            throttled: Tickets::new(),
            is_busy: false,
            round: 0,
        };
        Self { queue: Mutex::new(queue), changed: Notify::new() }
    }
}

impl ReadPlace {
    /// Whether the connection waits.
    pub(crate) const fn is_taken(&self) -> bool {
        self.waits.is_some()
    }

    fn join(&mut self, tickets: &mut Tickets, round: u64, cx: &Context<'_>) {
        let ticket = Arc::new(Mutex::new(Ticket { waker: Some(cx.waker().clone()) }));
        tickets.push_back(Arc::downgrade(&ticket));
        self.waits = Some(Waits { ticket, since: Instant::now(), round });
    }

    /// Resolves when it is its turn; call it when it waits.
    fn poll(&mut self, cx: &Context<'_>) -> Poll<Waits> {
        if let Some(waits) = &self.waits
            && let Some(waker) = &mut locked(&waits.ticket).waker
        {
            waker.clone_from(cx.waker());
            return Poll::Pending;
        }
        self.waits.take().map_or(Poll::Pending, Poll::Ready)
    }
}

impl ReadQueue {
    /// Resolves when a connection with a new request may be read: how long it waited for
    /// others.
    pub(crate) fn poll_turn(&self, place: &mut ReadPlace, cx: &Context<'_>) -> Poll<Duration> {
        if place.is_taken() {
            let Waits { since, round, .. } = ready!(place.poll(cx));
            let rounds = locked(&self.shared.queue).round - round;
            let counts = rounds >= LEAST_ROUNDS;
            return Poll::Ready(if counts { since.elapsed() } else { Duration::ZERO });
        }
        let mut queue = locked(&self.shared.queue);
        if queue.free > 0 {
            queue.free -= 1;
            if queue.free == 0 {
                self.shared.changed.notify_one();
            }
            return Poll::Ready(Duration::ZERO);
        }
        queue.is_busy = true;
        let round = queue.round;
        place.join(&mut queue.waiting, round, cx);
        Poll::Pending
    }

    /// Resolves when a throttled connection may be read because there is time to spare, or
    /// because its delay is `over`: how long it was throttled.
    pub(crate) fn poll_throttled(
        &self,
        place: &mut ReadPlace,
        over: bool,
        cx: &Context<'_>,
    ) -> Poll<Duration> {
        if !place.is_taken() {
            let throttled = &mut locked(&self.shared.queue).throttled;
            // Those whose delay was over. There are as many as are refused within one delay.
            while throttled.front().is_some_and(|ticket| ticket.strong_count() == 0) {
                throttled.pop_front();
            }
            place.join(throttled, 0, cx);
            if throttled.len() == 1 {
                self.shared.changed.notify_one();
            }
        }
        let waits = match place.waits.take_if(|_| over) {
            Some(waits) => waits,
            None => ready!(place.poll(cx)),
        };
        Poll::Ready(waits.since.elapsed())
    }

    /// Gives turns for ever: none of those who wait is read without it.
    pub(crate) async fn give_turns(self) {
        let mut spare = interval(SPARE_EVERY);
        spare.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let any_throttled = !locked(&self.shared.queue).throttled.is_empty();
            tokio::select! {
                () = self.shared.changed.notified() => loop {
                    // Returns when what was ready has been polled.
                    yield_now().await;
                    if self.next_turns() {
                        break;
                    }
                },
                _ = spare.tick(), if any_throttled => self.read_one_throttled(),
            }
        }
    }

    /// Gives the next turns. Whether some are left over, so that nobody waits.
    fn next_turns(&self) -> bool {
        let mut queue = locked(&self.shared.queue);
        queue.free = AT_A_TIME;
        queue.round += 1;
        while queue.free > 0 && wake_first(&mut queue.waiting) {
            queue.free -= 1;
        }
        queue.free > 0
    }

    fn read_one_throttled(&self) {
        let mut queue = locked(&self.shared.queue);
        if !std::mem::take(&mut queue.is_busy) {
            wake_first(&mut queue.throttled);
        }
    }
}

/// Whether there is one that waits; it is its turn now.
fn wake_first(tickets: &mut Tickets) -> bool {
    while let Some(ticket) = tickets.pop_front() {
        if let Some(waker) = ticket.upgrade().and_then(|ticket| locked(&ticket).waker.take()) {
            waker.wake();
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::sync::mpsc;
    use tokio_util::task::AbortOnDropHandle;

    use super::*;

    async fn turn(queue: &ReadQueue) -> Duration {
        let mut place = ReadPlace::default();
        poll_fn(|cx| queue.poll_turn(&mut place, cx)).await
    }

    fn is_ready(queue: &ReadQueue, place: &mut ReadPlace) -> bool {
        queue.poll_turn(place, &Context::from_waker(Waker::noop())).is_ready()
    }

    #[tokio::test]
    async fn what_is_under_way_comes_before_what_is_new() {
        let queue = ReadQueue::default();
        let _turns = AbortOnDropHandle::new(tokio::spawn(queue.clone().give_turns()));
        let (tell, mut told) = mpsc::unbounded_channel();
        for _ in 0..3 * AT_A_TIME {
            let (queue, tell) = (queue.clone(), tell.clone());
            tokio::spawn(async move {
                let _ = (turn(&queue).await, tell.send("new"));
            });
        }
        // Ready last, so that everything new was ready before it.
        tokio::spawn(async move {
            let _ = tell.send("under way");
        });
        let mut order = Vec::new();
        while let Some(what) = told.recv().await {
            order.push(what);
        }
        assert_eq!(order.len(), 3 * AT_A_TIME + 1);
        assert_eq!(order.iter().position(|what| *what == "under way"), Some(AT_A_TIME));
    }

    #[tokio::test]
    async fn who_waits_longest_is_read_first_and_who_has_left_takes_no_turn() {
        let queue = ReadQueue::default();
        let mut places: Vec<_> = (0..3 * AT_A_TIME).map(|_| ReadPlace::default()).collect();
        let read = |places: &mut [ReadPlace]| {
            places.iter_mut().map(|place| is_ready(&queue, place)).collect::<Vec<_>>()
        };
        let ready = |from: usize, to: usize, of: usize| {
            (0..of).map(|at| (from..to).contains(&at)).collect::<Vec<_>>()
        };
        assert_eq!(read(&mut places), ready(0, AT_A_TIME, 3 * AT_A_TIME));
        let mut waiting = places.split_off(AT_A_TIME);
        waiting.remove(0);
        assert!(!queue.next_turns(), "some still wait");
        assert_eq!(read(&mut waiting), ready(0, AT_A_TIME, 2 * AT_A_TIME - 1));
        assert!(queue.next_turns(), "fewer wait than there are turns");
        assert_eq!(read(&mut waiting[AT_A_TIME..]), ready(0, AT_A_TIME, AT_A_TIME - 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_counts_when_it_took_several_rounds() {
        const WAIT: Duration = Duration::from_millis(10);
        for (rounds, expected) in [
            (LEAST_ROUNDS - 1, Duration::ZERO),
            (LEAST_ROUNDS, WAIT * LEAST_ROUNDS as u32),
            (LEAST_ROUNDS + 3, WAIT * (LEAST_ROUNDS + 3) as u32),
        ] {
            let queue = ReadQueue::default();
            // So many come before it that its turn is in that round.
            let mut before: Vec<_> =
                (0..AT_A_TIME * rounds as usize).map(|_| ReadPlace::default()).collect();
            before.iter_mut().for_each(|place| _ = is_ready(&queue, place));
            let given = async {
                for _ in 0..rounds {
                    tokio::time::sleep(WAIT).await;
                    queue.next_turns();
                }
            };
            assert_eq!(tokio::join!(biased; turn(&queue), given).0, expected, "{rounds}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn throttled_connections_are_read_one_by_one_while_nobody_has_to_wait() {
        let queue = ReadQueue::default();
        let _turns = AbortOnDropHandle::new(tokio::spawn(queue.clone().give_turns()));
        let throttled = async || {
            let mut place = ReadPlace::default();
            poll_fn(|cx| queue.poll_throttled(&mut place, false, cx)).await
        };
        let begun = Instant::now();
        for at in 1..=3 {
            assert!(throttled().await <= SPARE_EVERY);
            assert!(begun.elapsed() <= SPARE_EVERY * at, "{:?}", begun.elapsed());
        }
        let busy = async {
            for _ in 0..50 {
                let mut places = [const { ReadPlace { waits: None } }; AT_A_TIME + 1];
                for place in &mut places {
                    let _ = is_ready(&queue, place);
                }
                tokio::time::sleep(SPARE_EVERY / 2).await;
            }
        };
        let throttled_for = tokio::join!(biased; busy, throttled()).1;
        assert!(throttled_for >= SPARE_EVERY * 25, "{throttled_for:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_connection_whose_delay_is_over_is_read() {
        let (queue, mut place) = (ReadQueue::default(), ReadPlace::default());
        let mut poll =
            |over| queue.poll_throttled(&mut place, over, &Context::from_waker(Waker::noop()));
        assert_eq!([poll(false), poll(false)], [Poll::Pending; 2]);
        tokio::time::advance(SPARE_EVERY * 20).await;
        assert_eq!(poll(true), Poll::Ready(SPARE_EVERY * 20));
        queue.read_one_throttled();
        assert!(locked(&queue.shared.queue).throttled.is_empty(), "it left no place behind");
    }
}
