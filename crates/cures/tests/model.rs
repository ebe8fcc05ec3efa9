//! Every order of events of a small café: two orders, two attempts each, one cancel, a
//! delivery, settlement, expiry; every message may be lost, doubled and overtaken.
//!
//! The rules are those of the crate, not a copy. The model around them is what is left of
//! the two services without HTTP: what is sent, what is received, who gives up. With one
//! cure left out, the checker must find how a promise breaks: otherwise it proves nothing.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::time::Duration;

use campuscafe_cures::attempts::{Answer, Knowledge, knowledge};
use campuscafe_cures::decisions::Bounds;
use campuscafe_cures::key::OrderId;
use campuscafe_cures::order::Event;
use campuscafe_cures::{Decision, Decisions, IdempotencyKey, KeyError, OrderState};
use stateright::{Checker as _, HasDiscoveries, Model, Property};

const START: u64 = 1_764_367_200_000;
const HORIZON: Duration = Duration::from_mins(10);
const AFTER_THE_HORIZON: u64 = START + 10 * 60 * 1_000;

/// The cure that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Without {
    Nothing,
    /// Each attempt is a request of its own.
    Key,
    /// Settlement asks, and the key stays open.
    Fencing,
    /// A refused request leaves nothing behind.
    RecordedRefusals,
    /// Keys carry no time: what is forgotten is new again.
    Time,
    /// A cancel that finds nothing leaves nothing behind.
    Tombstone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Message {
    Reserve(usize),
    Settle(usize),
    Cancel(usize),
    Reserved(usize, Reply),
    Settled(usize, Reply),
    Cancelled(usize),
}

/// What the inventory says under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Reply {
    Reserved,
    Refused,
    /// Void or cancelled.
    Closed,
    Expired,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Attempt {
    NotSent,
    Waiting,
    Ended(Answer),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Order {
    state: OrderState,
    attempts: [Attempt; 2],
    /// Reservations that it has, and that it ever had.
    holds: u8,
    ever: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    orders: [Order; 2],
    decisions: Decisions<(), (), ()>,
    stock: u8,
    delivered: bool,
    expired: bool,
    /// Once sent, a message may arrive at any time, any number of times, or never.
    network: BTreeSet<Message>,
    /// What customers and the order service were told under each key, ever.
    told: BTreeSet<(usize, Reply)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Action {
    Send(usize, usize),
    GiveUp(usize, usize),
    Conclude(usize),
    Settle(usize),
    Cancel,
    Deliver,
    Expire,
    Arrive(Message),
    ArriveAt(Message, usize),
}

struct Cafe {
    without: Without,
}

impl Cafe {
    fn key(&self, order: usize) -> IdempotencyKey {
        match self.without {
            Without::Time => IdempotencyKey::new(&format!("number-{order}")),
            _ => Ok(IdempotencyKey::of_order(OrderId::new(START, [order as u8; 10]))),
        }
        .unwrap()
    }

    fn reserve(&self, world: &mut World, of: usize) -> Reply {
        let now = world.now();
        let key = self.key(of);
        let World { decisions, orders, stock, .. } = world;
        let order = &mut orders[of];
        let mut effect = || {
            if *stock == 0 {
                return Err(());
            }
            *stock -= 1;
            order.holds += 1;
            order.ever += 1;
            Ok(())
        };
        if self.without == Without::Key {
            return effect().map_or(Reply::Refused, |()| Reply::Reserved);
        }
        let before = decisions.clone();
        let answer = match decisions.decide(&key, (), now, effect) {
            Ok(answer) => answer,
            Err(KeyError::Void | KeyError::Cancelled) => return Reply::Closed,
            Err(KeyError::Expired { .. }) => return Reply::Expired,
            Err(error) => unreachable!("{error}"),
        };
        if answer.decision.is_err() && self.without == Without::RecordedRefusals {
            *decisions = before;
        }
        answer.decision.map_or(Reply::Refused, |()| Reply::Reserved)
    }

    fn settle(&self, world: &mut World, of: usize) -> Reply {
        let (key, now) = (self.key(of), world.now());
        if self.without == Without::Fencing && world.decisions.get(&key).is_none() {
            return Reply::Closed;
        }
        match world.decisions.settle(&key, now) {
            Ok(Decision::Done(())) => Reply::Reserved,
            Ok(Decision::Refused(())) => Reply::Refused,
            Ok(Decision::Cancelled(()) | Decision::Void) => Reply::Closed,
            Err(KeyError::Expired { .. }) => Reply::Expired,
            Err(error) => unreachable!("{error}"),
        }
    }

    /// Whether the inventory says that nothing is reserved and nothing can be.
    fn cancel(&self, world: &mut World, of: usize) -> bool {
        let (key, now) = (self.key(of), world.now());
        if self.without == Without::Tombstone && world.decisions.get(&key).is_none() {
            return true;
        }
        match world.decisions.cancel(&key, now) {
            Ok(removed) => {
                if removed.is_some() {
                    world.orders[of].holds -= 1;
                    world.stock += 1;
                }
                true
            }
            Err(_) => false,
        }
    }

    /// What a message does where it arrives. `attempt` is whose answer it is taken for.
    fn arrive(&self, world: &mut World, message: Message, attempt: usize) {
        let reply = match message {
            Message::Reserve(of) => Message::Reserved(of, self.reserve(world, of)),
            Message::Settle(of) => Message::Settled(of, self.settle(world, of)),
            Message::Cancel(of) => {
                if !self.cancel(world, of) {
                    return;
                }
                Message::Cancelled(of)
            }
            Message::Reserved(of, reply) => {
                world.orders[of].attempts[attempt] = Attempt::Ended(match reply {
                    Reply::Reserved => Answer::Reserved,
                    Reply::Refused | Reply::Closed => Answer::RefusedUnderKey,
                    // Nobody can say any more what was decided.
                    Reply::Expired => Answer::None,
                });
                return;
            }
            Message::Settled(of, reply) => {
                let known = match reply {
                    Reply::Reserved => Knowledge::Reserved,
                    Reply::Refused | Reply::Closed => Knowledge::NotReserved,
                    Reply::Expired => Knowledge::Unknown,
                };
                world.orders[of].learn(Event::Learnt(known));
                return;
            }
            Message::Cancelled(of) => return world.orders[of].learn(Event::CancelConfirmed),
        };
        if let Message::Reserved(of, reply) = reply {
            world.told.insert((of, reply));
        }
        world.network.insert(reply);
    }

    /// Messages flow again: what is asked is answered.
    fn healed(&self, world: &World, of: usize) -> OrderState {
        let mut world = world.clone();
        for asked in [Message::Settle(of), Message::Cancel(of)] {
            if !world.orders[of].state.is_open()
                || (matches!(asked, Message::Cancel(_))
                    && world.orders[of].state != OrderState::Cancelling)
            {
                continue;
            }
            let before = world.network.clone();
            world.network.clear();
            self.arrive(&mut world, asked, 0);
            for reply in std::mem::replace(&mut world.network, before) {
                self.arrive(&mut world, reply, 0);
            }
        }
        world.orders[of].state
    }
}

impl World {
    fn now(&self) -> u64 {
        if self.expired { AFTER_THE_HORIZON } else { START }
    }
}

impl Order {
    fn learn(&mut self, event: Event) {
        self.state = self.state.after(event).unwrap();
    }

    fn answers(&self) -> Option<Vec<Answer>> {
        let mut answers = Vec::new();
        for attempt in self.attempts {
            match attempt {
                Attempt::NotSent => {}
                Attempt::Waiting => return None,
                Attempt::Ended(answer) => answers.push(answer),
            }
        }
        (!answers.is_empty()).then_some(answers)
    }
}

impl Model for Cafe {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let order = Order {
            state: OrderState::Placing,
            attempts: [Attempt::NotSent; 2],
            holds: 0,
            ever: 0,
        };
        vec![World {
            orders: [order.clone(), order],
            decisions: Decisions::new(Bounds { horizon: HORIZON, keys: 8, voids: 8 }),
            stock: 1,
            delivered: false,
            expired: false,
            network: BTreeSet::new(),
            told: BTreeSet::new(),
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for (number, order) in world.orders.iter().enumerate() {
            if order.state == OrderState::Placing {
                match order.attempts {
                    [Attempt::NotSent, _] => actions.push(Action::Send(number, 0)),
                    // The retry follows an attempt without an answer.
                    [Attempt::Ended(Answer::None), Attempt::NotSent] => {
                        actions.push(Action::Send(number, 1));
                    }
                    _ => {}
                }
                if order.answers().is_some() {
                    actions.push(Action::Conclude(number));
                }
            }
            for attempt in 0..2 {
                if order.attempts[attempt] == Attempt::Waiting {
                    actions.push(Action::GiveUp(number, attempt));
                }
            }
            if order.state.is_open() && !world.network.contains(&Message::Settle(number)) {
                actions.push(Action::Settle(number));
            }
        }
        let first = &world.orders[0];
        if matches!(first.state, OrderState::Placing | OrderState::Unknown | OrderState::Confirmed)
        {
            actions.push(Action::Cancel);
        }
        if !world.delivered {
            actions.push(Action::Deliver);
        }
        // The horizon is longer than the longest work and settlement together.
        let open = |order: &Order| {
            order.state.is_open()
                || (order.state == OrderState::Placing && order.attempts[0] != Attempt::NotSent)
        };
        if !world.expired && !world.orders.iter().any(open) {
            actions.push(Action::Expire);
        }
        for message in &world.network {
            match message {
                Message::Reserved(of, _) => {
                    for attempt in 0..2 {
                        if world.orders[*of].attempts[attempt] == Attempt::Waiting {
                            actions.push(Action::ArriveAt(*message, attempt));
                        }
                    }
                }
                _ => actions.push(Action::Arrive(*message)),
            }
        }
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        let mut world = last.clone();
        match action {
            Action::Send(order, attempt) => {
                world.orders[order].attempts[attempt] = Attempt::Waiting;
                world.network.insert(Message::Reserve(order));
            }
            Action::GiveUp(order, attempt) => {
                world.orders[order].attempts[attempt] = Attempt::Ended(Answer::None);
            }
            Action::Conclude(order) => {
                let order = &mut world.orders[order];
                let known = knowledge(&order.answers()?);
                order.learn(Event::Learnt(known));
            }
            Action::Settle(order) => {
                world.network.insert(Message::Settle(order));
            }
            Action::Cancel => {
                world.orders[0].learn(Event::CancelRequested);
                world.network.insert(Message::Cancel(0));
            }
            Action::Deliver => {
                world.delivered = true;
                world.stock += 1;
            }
            Action::Expire => world.expired = true,
            Action::Arrive(message) => self.arrive(&mut world, message, 0),
            Action::ArriveAt(message, attempt) => self.arrive(&mut world, message, attempt),
        }
        (world != *last).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no order reserves twice", |_, world: &World| {
                world.orders.iter().all(|order| order.ever <= 1)
            }),
            Property::always("a confirmed order has one reservation", |_, world: &World| {
                let confirmed = |order: &&Order| order.state == OrderState::Confirmed;
                world.orders.iter().filter(confirmed).all(|order| order.holds == 1)
            }),
            Property::always("an order that is over has none", |_, world: &World| {
                let over = |order: &&Order| {
                    matches!(order.state, OrderState::Failed | OrderState::Cancelled)
                };
                world.orders.iter().filter(over).all(|order| order.holds == 0)
            }),
            Property::always("no refusal is taken back", |_, world: &World| {
                (0..2).all(|of| {
                    !(world.told.contains(&(of, Reply::Refused))
                        && world.told.contains(&(of, Reply::Reserved)))
                })
            }),
            Property::always(
                "every open order ends once messages flow",
                |cafe: &Cafe, world: &World| {
                    (0..2).all(|of| world.expired || !cafe.healed(world, of).is_open())
                },
            ),
            // The model is not empty: what a customer can meet is reached.
            Property::sometimes("confirmed after unknown", |_, world: &World| {
                let [a, b] = &world.orders;
                a.state == OrderState::Confirmed
                    && a.answers().is_some_and(|answers| knowledge(&answers) == Knowledge::Unknown)
                    && b.state == OrderState::Failed
            }),
            Property::sometimes("a request comes after the cancel", |_, world: &World| {
                world.orders[0].state == OrderState::Cancelled
                    && world.told.contains(&(0, Reply::Closed))
                    && world.orders[0].ever == 0
            }),
            Property::sometimes("a request comes after the horizon", |_, world: &World| {
                world.told.contains(&(1, Reply::Expired))
            }),
        ]
    }
}

/// Looks for a way to break a promise without a cure, the shortest one.
fn breaks(without: Without, promise: &'static str) -> bool {
    let found = HasDiscoveries::AllOf(BTreeSet::from([promise]));
    let checker = Cafe { without }.checker().threads(2).finish_when(found).spawn_bfs().join();
    let counterexample = checker.discovery(promise).map(stateright::Path::into_actions);
    println!("without {without:?}, of {} states: {counterexample:?}", checker.unique_state_count());
    counterexample.is_some()
}

#[test]
fn with_every_cure_every_promise_holds_in_every_order_of_events() {
    let checker = Cafe { without: Without::Nothing }.checker().threads(2).spawn_bfs().join();
    println!("{} states, {} steps deep", checker.unique_state_count(), checker.max_depth());
    checker.assert_properties();
}

#[test]
fn without_a_key_an_order_reserves_twice() {
    assert!(breaks(Without::Key, "no order reserves twice"));
}

#[test]
fn without_fencing_an_attempt_reserves_after_the_order_was_told_failed() {
    assert!(breaks(Without::Fencing, "an order that is over has none"));
}

#[test]
fn without_recorded_refusals_a_refusal_is_taken_back() {
    assert!(breaks(Without::RecordedRefusals, "no refusal is taken back"));
}

#[test]
fn without_a_time_in_the_key_a_forgotten_order_reserves_again() {
    assert!(breaks(Without::Time, "no order reserves twice"));
}

#[test]
fn without_a_tombstone_a_late_attempt_reserves_for_a_cancelled_order() {
    assert!(breaks(Without::Tombstone, "an order that is over has none"));
}
