//! The rules of the orders that are remembered: plain functions over plain values, without
//! a clock, a lock or a file.

mod order;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::time::Duration;

use campuscafe_api::inventory::Reservation;
use campuscafe_api::order::Lane;
use campuscafe_cures::attempts::Knowledge;
use campuscafe_cures::decisions::{Bounds, Decision};
use campuscafe_cures::order::{Event, NothingToCancel};
use campuscafe_cures::{Decisions, IdempotencyKey, KeyError, OrderId, OrderState, UnixMillis};

use order::hexadecimal;
pub(crate) use order::{Listener, Message, Note, Order, on_the_wire};

/// How many orders are remembered: about a third of a kilobyte each.
pub(crate) const MAX_ORDERS: usize = 20_000;

/// The keys that customers bring. One takes up to 400 bytes, so all of them take 8 MB.
pub(crate) const CUSTOMERS_KEYS: Bounds =
    Bounds { horizon: Duration::from_mins(10), keys: 20_000, voids: 0 };

/// The same where they outlive the process.
pub(crate) const DURABLE_CUSTOMERS_KEYS: Bounds =
    Bounds { horizon: Duration::from_hours(24), ..CUSTOMERS_KEYS };

/// What is asked of the inventory about an order's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Question {
    /// What was decided, or that nothing may be decided any more.
    Settle,
    /// To take back what was decided, or that nothing may be decided any more.
    Cancel,
}

/// Two orders with equal fingerprints ask for the same item and quantity.
pub(crate) type Fingerprint = u128;

/// The orders that are remembered. When there is no room, the oldest is forgotten that is
/// not open any more.
#[derive(Debug, Clone)]
pub(crate) struct Orders {
    orders: BTreeMap<OrderId, Order>,
    /// The keys that customers brought, and the order that was placed with each.
    keys: Decisions<Fingerprint, OrderId, Infallible>,
    /// Which came to rest, oldest first. Some of them may be open again.
    at_rest: VecDeque<OrderId>,
    /// Those of the cured lane that are unknown and can be settled, by when they became so.
    unknown: BTreeSet<(UnixMillis, OrderId)>,
    changed: Vec<OrderId>,
}

/// What changed since somebody asked.
#[derive(Debug)]
pub(crate) struct Changes {
    /// Orders that are new, changed or forgotten.
    pub(crate) orders: Vec<OrderId>,
    /// Customers' keys that are new or forgotten, as far as that is noted.
    pub(crate) keys: Vec<IdempotencyKey>,
}

/// The key that a customer brought, and what was placed with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CustomersKey {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) order: OrderId,
    pub(crate) since: UnixMillis,
}

/// What came of an order that a customer wants to place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// It is recorded.
    New,
    /// It was placed before with the same key.
    Known(OrderId),
}

/// Why an order is not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotBegun {
    /// Every order that is remembered is open, and there are too many of them.
    Full,
    /// Nothing may be placed with the customer's key.
    Key(KeyError),
}

impl Orders {
    /// No orders yet; so many keys of customers are remembered, and for so long.
    pub(crate) const fn new(keys: Bounds) -> Self {
        Self {
            orders: BTreeMap::new(),
            keys: Decisions::new(keys),
            at_rest: VecDeque::new(),
            unknown: BTreeSet::new(),
            changed: Vec::new(),
        }
    }

    /// Records an order. Nothing has been sent for it yet. With a customer's key it is
    /// recorded once.
    ///
    /// # Errors
    ///
    /// When there is no room, or the key was used for another order.
    pub(crate) fn begin(
        &mut self,
        id: OrderId,
        order: Order,
        once: Option<(&IdempotencyKey, Fingerprint)>,
        now: UnixMillis,
    ) -> Result<Begun, NotBegun> {
        let known = match once {
            Some((key, _)) => self.keys.ask(key, now).map_err(NotBegun::Key)?.is_some(),
            None => false,
        };
        if !known && self.orders.len() >= MAX_ORDERS {
            self.forget_one()?;
        }
        if let Some((key, fingerprint)) = once {
            let answer =
                self.keys.decide(key, fingerprint, now, || Ok(id)).map_err(NotBegun::Key)?;
            if answer.replayed {
                let Ok(first) = answer.decision;
                return Ok(Begun::Known(first));
            }
        }
        self.orders.insert(id, order);
        self.changed.push(id);
        Ok(Begun::New)
    }

    /// The customer wants the order cancelled: its state before, and the order. None if the
    /// order is not known.
    pub(crate) fn begin_cancel(
        &mut self,
        id: OrderId,
        now: UnixMillis,
    ) -> Option<Result<(OrderState, Order), NothingToCancel>> {
        // In one step: the order may fail at this moment.
        let before = self.orders.get(&id)?.state;
        if let Err(nothing) = before.after(Event::CancelRequested) {
            return Some(Err(nothing));
        }
        self.learn(id, Event::CancelRequested, None, now)?;
        self.orders.get(&id).map(|order| Ok((before, order.clone())))
    }

    /// The state of an order after an event.
    pub(crate) fn learn(
        &mut self,
        id: OrderId,
        event: Event,
        reserved: Option<&Reservation>,
        now: UnixMillis,
    ) -> Option<OrderState> {
        let order = self.orders.get_mut(&id)?;
        let (before, lane) = (order.state, order.lane);
        // Only a cancel can be refused, and it asks for the state first.
        let state = before.after(event).unwrap_or(before);
        order.state = state;
        if let (None, Some(reservation)) = (order.reserved, reserved) {
            order.reserved = hexadecimal(&reservation.reservation_id);
            self.changed.push(id);
        }
        if state != before {
            order.history.push((state, now));
            order.note = None;
            if order.is_at_rest() {
                self.at_rest.push_back(id);
            }
            if before == OrderState::Unknown {
                self.no_longer_unknown(id);
            }
            if state == OrderState::Unknown && lane == Lane::Cured {
                self.unknown.insert((now, id));
            }
            self.changed.push(id);
        }
        Some(state)
    }

    /// Notes why nothing more will be known of an order.
    pub(crate) fn give_up(&mut self, id: OrderId, note: Note) {
        self.no_longer_unknown(id);
        let Some(order) = self.orders.get_mut(&id) else { return };
        if order.note.replace(note).is_none() {
            self.at_rest.push_back(id);
        }
        self.changed.push(id);
    }

    /// The messages that are due to an order's listener; they count as under way from now on,
    /// which a file does not note: they are sent again after a crash.
    pub(crate) fn untold(&mut self, id: OrderId) -> Vec<Message> {
        self.orders.get_mut(&id).map(Order::untold).unwrap_or_default()
    }

    /// A message to an order's listener has ended, whatever came of it: it is not sent again.
    pub(crate) fn end_message(&mut self, id: OrderId, place: u32) {
        let listener = self.orders.get_mut(&id).and_then(|order| order.listener.as_mut());
        if let Some(listener) = listener {
            listener.end(place);
            self.changed.push(id);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.orders.len()
    }

    pub(crate) fn get(&self, id: OrderId) -> Option<&Order> {
        self.orders.get(&id)
    }

    /// Some orders in a state, oldest first, after this one.
    pub(crate) fn list(
        &self,
        state: Option<OrderState>,
        after: Option<OrderId>,
        limit: usize,
    ) -> Vec<(OrderId, Order)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let range = self.orders.range((after.map_or(Unbounded, Excluded), Unbounded));
        let wanted = range.filter(|(_, order)| state.is_none_or(|state| order.state == state));
        wanted.take(limit).map(|(id, order)| (*id, order.clone())).collect()
    }

    /// How many orders of the cured lane are unknown now and can be settled, and since when
    /// the oldest of them is.
    pub(crate) fn unknown(&self) -> (usize, Option<UnixMillis>) {
        (self.unknown.len(), self.unknown.first().map(|(since, _)| *since))
    }

    /// What a customer placed with a key.
    pub(crate) fn key(&self, key: &IdempotencyKey) -> Option<CustomersKey> {
        let record = self.keys.get(key)?;
        let Decision::Done(order) = record.decision else { return None };
        Some(CustomersKey { fingerprint: record.fingerprint?, order, since: record.since })
    }

    /// What changed since this was last called.
    pub(crate) fn take_changes(&mut self) -> Changes {
        Changes { orders: std::mem::take(&mut self.changed), keys: self.keys.take_touched() }
    }

    /// The orders as they were remembered. From now on it notes which keys change.
    pub(crate) fn restore(
        bounds: Bounds,
        orders: impl IntoIterator<Item = (OrderId, Order)>,
        keys: Vec<(IdempotencyKey, CustomersKey)>,
    ) -> Self {
        let mut all = Self::new(bounds);
        all.orders.extend(orders);
        let mut at_rest: Vec<_> =
            all.orders.iter().filter(|(_, order)| order.is_at_rest()).collect();
        at_rest.sort_by_key(|(id, order)| (order.changed_at(), **id));
        all.at_rest = at_rest.into_iter().map(|(id, _)| *id).collect();
        let open =
            all.orders.iter().filter(|(_, order)| order.question() == Some(Question::Settle));
        all.unknown = open.map(|(id, order)| (order.changed_at(), *id)).collect();
        for (key, CustomersKey { fingerprint, order, since }) in keys {
            all.keys.restore(&key, Some(fingerprint), Decision::Done(order), since);
        }
        all.keys.note_touched();
        all
    }

    /// Nobody works any more on the orders that a process left when it ended: their attempts
    /// and their naive cancels will have no answer.
    pub(crate) fn interrupt(&mut self, now: UnixMillis) {
        let left: Vec<_> =
            self.orders.iter().map(|(id, order)| (*id, order.lane, order.state)).collect();
        for (id, lane, state) in left {
            if state == OrderState::Placing {
                self.learn(id, Event::Learnt(Knowledge::Unknown), None, now);
                if lane == Lane::Naive {
                    self.give_up(id, Note::Interrupted);
                }
            }
            self.give_up_cancel(id);
        }
    }

    /// In the naive lane nobody asks what became of a cancel that nobody works on.
    pub(crate) fn give_up_cancel(&mut self, id: OrderId) {
        let is_left = |order: &Order| {
            order.lane == Lane::Naive
                && order.state == OrderState::Cancelling
                && order.note.is_none()
        };
        if self.orders.get(&id).is_some_and(is_left) {
            self.give_up(id, Note::CancelUnanswered);
        }
    }

    /// The orders that the inventory must be asked about.
    pub(crate) fn open(&self) -> Vec<(OrderId, Question)> {
        let open = self.orders.iter().filter_map(|(id, order)| Some((*id, order.question()?)));
        open.collect()
    }

    /// The orders whose listener was not told everything.
    pub(crate) fn with_untold(&self) -> Vec<OrderId> {
        let untold = self.orders.iter().filter(|(_, order)| order.has_untold());
        untold.map(|(id, _)| *id).collect()
    }

    fn no_longer_unknown(&mut self, id: OrderId) {
        let history = self.orders.get(&id).map_or(&[][..], |order| &order.history);
        for (_, since) in history.iter().filter(|(state, _)| *state == OrderState::Unknown) {
            self.unknown.remove(&(*since, id));
        }
    }

    fn forget_one(&mut self) -> Result<(), NotBegun> {
        while let Some(id) = self.at_rest.pop_front() {
            if self.orders.get(&id).is_some_and(Order::is_at_rest) {
                self.orders.remove(&id);
                self.changed.push(id);
                return Ok(());
            }
        }
        Err(NotBegun::Full)
    }
}

#[cfg(test)]
mod tests;
