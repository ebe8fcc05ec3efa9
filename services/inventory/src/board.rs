//! The board that shows what became of each order, as far as messages have arrived.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use campuscafe_api::inventory::NotificationState;
use campuscafe_cures::updates::Shown;
use campuscafe_cures::{OrderId, UnixMillis};

/// How many orders the board shows, each in less than half a kilobyte. If there are 200
/// orders a second, an order is forgotten when its last message may still come: a message
/// can be late by a minute.
const MAX_ORDERS: usize = 20_000;

/// How many arrivals are remembered of one order: it comes to five states at most.
const MAX_HISTORY: usize = 8;

/// The orders that are shown. When there is no room, the one that has been shown for longest
/// is forgotten.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<Orders>);

#[derive(Debug, Default)]
struct Orders {
    shown: HashMap<OrderId, Order>,
    /// In the order of their first messages.
    first: VecDeque<OrderId>,
    forgotten: u64,
}

/// What is shown of one order.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    shown: Shown<NotificationState>,
    pub(crate) history: VecDeque<Arrival>,
}

impl Order {
    pub(crate) fn shown(&self) -> NotificationState {
        *self.shown.value()
    }
}

/// A message that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) state: NotificationState,
    pub(crate) sequence: Option<u64>,
    pub(crate) at: UnixMillis,
    pub(crate) dropped: bool,
}

/// What the board shows after a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) shown: NotificationState,
    pub(crate) dropped: bool,
    /// Orders that were forgotten because the board was full, ever.
    pub(crate) forgotten: u64,
}

impl Board {
    /// A message arrives.
    pub(crate) fn arrive(
        &self,
        id: OrderId,
        state: NotificationState,
        sequence: Option<u64>,
        at: UnixMillis,
    ) -> Outcome {
        self.with(|orders| {
            let (shown, dropped) = match orders.shown.get_mut(&id) {
                Some(order) => {
                    let dropped = !order.shown.arrive(state, sequence);
                    order.note(Arrival { state, sequence, at, dropped });
                    (order.shown(), dropped)
                }
                None => {
                    let arrival = Arrival { state, sequence, at, dropped: false };
                    let history = VecDeque::from([arrival]);
                    orders.begin(id, Order { shown: Shown::first(state, sequence), history });
                    (state, false)
                }
            };
            Outcome { shown, dropped, forgotten: orders.forgotten }
        })
    }

    pub(crate) fn get(&self, id: OrderId) -> Option<Order> {
        self.with(|orders| orders.shown.get(&id).cloned())
    }

    /// The lock is held for a few instructions, never across an await. Its holders cannot
    /// leave the board half written, so poison is no danger.
    fn with<T>(&self, change: impl FnOnce(&mut Orders) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Order {
    fn note(&mut self, arrival: Arrival) {
        if self.history.len() >= MAX_HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(arrival);
    }
}

impl Orders {
    fn begin(&mut self, id: OrderId, order: Order) {
        if self.shown.len() >= MAX_ORDERS
            && let Some(oldest) = self.first.pop_front()
        {
            self.shown.remove(&oldest);
            self.forgotten += 1;
        }
        self.first.push_back(id);
        self.shown.insert(id, order);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use NotificationState::{Accepted, Confirmed};

    fn id(number: u64) -> OrderId {
        OrderId::new(number, [0; 10])
    }

    #[test]
    fn the_history_tells_the_arrivals_and_which_of_them_were_dropped() {
        let board = Board::default();
        board.arrive(id(1), Confirmed, Some(2), 7);
        let late = board.arrive(id(1), Accepted, Some(1), 8);
        assert_eq!(late, Outcome { shown: Confirmed, dropped: true, forgotten: 0 });
        let order = board.get(id(1)).unwrap();
        let told: Vec<_> = order.history.iter().map(|it| (it.state, it.at, it.dropped)).collect();
        assert_eq!(
            (order.shown(), told),
            (Confirmed, vec![(Confirmed, 7, false), (Accepted, 8, true)])
        );
        assert!(board.get(id(2)).is_none());
    }

    #[test]
    fn of_many_arrivals_the_last_are_remembered_and_the_dropped_ones_stay_dropped() {
        let board = Board::default();
        for at in 0..100 {
            board.arrive(id(1), Confirmed, Some(2), at);
        }
        let times: Vec<_> = board.get(id(1)).unwrap().history.iter().map(|it| it.at).collect();
        assert_eq!(times, (92..100).collect::<Vec<_>>());
        assert!(board.arrive(id(1), Accepted, Some(1), 100).dropped);
    }

    #[test]
    fn without_room_the_order_is_forgotten_that_came_first_and_it_is_counted() {
        let board = Board::default();
        for number in 0..MAX_ORDERS as u64 {
            // The ids are made in the other order, since they come from outside.
            board.arrive(id(1_000_000 - number), Accepted, None, number);
        }
        assert_eq!(board.arrive(id(1_000_000), Confirmed, None, 7).forgotten, 0, "it is shown");
        assert_eq!(board.arrive(id(1), Accepted, None, 8).forgotten, 1);
        assert!(board.get(id(1_000_000)).is_none());
        assert_eq!(board.get(id(1)).unwrap().shown(), Accepted);
        assert_eq!(
            board.with(|orders| (orders.shown.len(), orders.first.len())),
            (MAX_ORDERS, MAX_ORDERS)
        );
    }
}
