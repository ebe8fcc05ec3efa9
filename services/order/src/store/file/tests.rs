#![allow(clippy::unwrap_used)]

use campuscafe_api::inventory::Reserve;
use campuscafe_api::order::Lane;
use campuscafe_cures::KeyError;
use campuscafe_cures::attempts::Knowledge;
use campuscafe_cures::order::Event;
use campuscafe_file_store::Source as _;
use campuscafe_file_store::testing::{Disk, Fault};
use proptest::prelude::*;

use super::*;
use crate::orders::{CUSTOMERS_KEYS, MAX_ORDERS, Message, Note, Question};
use crate::store::script::{Happens, id, key, order};

const BOUNDS: Bounds = Bounds { horizon: Duration::from_secs(60), keys: 64, voids: 0 };

/// A store on a disk in memory, as a process finds it at its start.
pub(in crate::store) fn open(disk: &Disk, now: UnixMillis) -> FileOrders {
    let disk = disk.clone();
    let file = FileStore::with_backend(move || Ok(disk.backend()), NAME, FORMAT).unwrap();
    FileOrders::of(file, BOUNDS, now).unwrap()
}

/// The disk as a process finds it that starts after a loss of power.
fn power_cut(disk: &Disk) -> Disk {
    disk.cut_at(disk.operations(), |_| false)
}

async fn begin(store: &FileOrders, number: usize, lane: Lane) -> Result<Begun, NotBegun> {
    store.begin(id(number), order(lane), None, 7).await.unwrap()
}

async fn learn(
    store: &FileOrders,
    number: usize,
    knowledge: Knowledge,
    now: UnixMillis,
) -> Result<Option<OrderState>, Unavailable> {
    let event = Event::Learnt(knowledge);
    store.transaction(|orders| orders.learn(id(number), event, None, now)).await
}

async fn get(store: &FileOrders, number: usize) -> Option<Order> {
    store.read(|orders| orders.get(id(number)).cloned()).await.unwrap()
}

#[tokio::test]
async fn after_a_power_cut_every_order_stands_as_it_was_told() {
    let disk = Disk::default();
    let store = open(&disk, 7);
    for number in 1..=4 {
        begin(&store, number, Lane::Cured).await.unwrap();
    }
    let reserved = campuscafe_api::inventory::Reservation {
        reservation_id: format!("{:032x}", 5),
        item_id: "cake".to_owned(),
        quantity: 1,
    };
    let event = Event::Learnt(Knowledge::Reserved);
    store.transaction(|orders| orders.learn(id(1), event, Some(&reserved), 8)).await.unwrap();
    learn(&store, 2, Knowledge::NotReserved, 9).await.unwrap();
    learn(&store, 3, Knowledge::Unknown, 10).await.unwrap();
    store.begin_cancel(id(4), 11).await.unwrap().unwrap().unwrap();
    let mut told = Vec::new();
    for number in 1..=4 {
        told.push(get(&store, number).await);
    }
    let again = open(&power_cut(&disk), 12);
    for (number, told) in (1..).zip(told) {
        assert_eq!(get(&again, number).await, told, "order {number}");
    }
    assert_eq!(again.peek(Orders::open), [(id(3), Question::Settle), (id(4), Question::Cancel)]);
    assert_eq!(again.peek(Orders::unknown), (1, Some(10)));
}

#[tokio::test]
async fn the_attempts_of_a_process_that_ended_are_gone_and_their_orders_are_unknown() {
    let disk = Disk::default();
    let store = open(&disk, 7);
    begin(&store, 1, Lane::Cured).await.unwrap();
    begin(&store, 2, Lane::Naive).await.unwrap();
    begin(&store, 3, Lane::Naive).await.unwrap();
    store.begin_cancel(id(3), 8).await.unwrap().unwrap().unwrap();
    // Twice: what the first start says, the second one repeats.
    let again = open(&power_cut(&open_and_cut(&disk, 20).await), 30);
    let cured = get(&again, 1).await.unwrap();
    assert_eq!(cured.history, [(OrderState::Placing, 7), (OrderState::Unknown, 20)]);
    assert_eq!((cured.state, cured.note), (OrderState::Unknown, None));
    let naive = get(&again, 2).await.unwrap();
    assert_eq!(naive.history, [(OrderState::Placing, 7), (OrderState::Unknown, 20)]);
    assert_eq!(naive.note, Some(Note::Interrupted));
    let cancelling = get(&again, 3).await.unwrap();
    assert_eq!(cancelling.state, OrderState::Cancelling);
    assert_eq!(cancelling.note, Some(Note::CancelUnanswered));
    assert_eq!(again.peek(Orders::open), [(id(1), Question::Settle)]);
}

/// Starts a process on what a power cut leaves, and cuts its power when it has started.
async fn open_and_cut(disk: &Disk, now: UnixMillis) -> Disk {
    let disk = power_cut(disk);
    let store = open(&disk, now);
    store.read(|_| ()).await.unwrap();
    power_cut(&disk)
}

#[tokio::test]
async fn a_customers_key_and_the_replica_are_the_same_after_a_restart() {
    let disk = Disk::default();
    let store = open(&disk, 7);
    let press = async |store: &FileOrders, number, quantity, now| {
        let reserve = Reserve { item_id: "cake".to_owned(), quantity };
        let order = Order::new(&reserve, Lane::Cured, None, now);
        store.begin(id(number), order, Some(&key("press")), now).await.unwrap()
    };
    assert_eq!(press(&store, 1, 1, 7).await, Ok(Begun::New));
    let again = open(&power_cut(&disk), 8);
    assert_eq!(again.replica(), store.replica());
    assert_eq!(press(&again, 2, 1, 8).await, Ok(Begun::Known(id(1))));
    assert_eq!(press(&again, 3, 2, 8).await, Err(NotBegun::Key(KeyError::OtherRequest)));
    assert_eq!(press(&again, 4, 2, 70_000).await, Ok(Begun::New), "the key has expired");
}

#[tokio::test]
async fn an_order_that_could_not_be_recorded_is_not_there_and_its_key_is_free() {
    for fault in [Fault::Full, Fault::NoSync, Fault::Dead] {
        let disk = Disk::default();
        let store = open(&disk, 7);
        begin(&store, 1, Lane::Cured).await.unwrap();
        disk.fail(fault, 0);
        let pressed = store.begin(id(2), order(Lane::Cured), Some(&key("a")), 8).await;
        assert_eq!(pressed, Err(Unavailable::File), "{fault:?}");
        assert_eq!(learn(&store, 1, Knowledge::Reserved, 9).await, Err(Unavailable::File));
        assert_eq!(store.read(|_| ()).await, Err(Unavailable::File), "memory is ahead of the file");
        assert!(store.recover(99).await.is_err(), "{fault:?}");
        disk.heal();
        store.recover(99).await.unwrap();
        assert_eq!(get(&store, 2).await, None);
        assert_eq!(get(&store, 1).await.unwrap().state, OrderState::Placing, "it is under way");
        let pressed = store.begin(id(3), order(Lane::Cured), Some(&key("a")), 10).await;
        assert_eq!(pressed, Ok(Ok(Begun::New)), "{fault:?}");
        let again = open(&power_cut(&disk), 11);
        assert_eq!(get(&again, 2).await, None);
    }
}

#[tokio::test]
async fn a_start_that_could_not_be_recorded_is_made_up_for_when_the_store_takes_changes() {
    let disk = Disk::default();
    let store = open(&disk, 7);
    begin(&store, 1, Lane::Cured).await.unwrap();
    let disk = power_cut(&disk);
    let backend = disk.clone();
    let file = FileStore::with_backend(move || Ok(backend.backend()), NAME, FORMAT).unwrap();
    disk.fail(Fault::Full, 0);
    let again = FileOrders::of(file, BOUNDS, 20).unwrap();
    assert_eq!(again.read(|_| ()).await, Err(Unavailable::File));
    disk.heal();
    again.recover(30).await.unwrap();
    let order = get(&again, 1).await.unwrap();
    assert_eq!(order.history, [(OrderState::Placing, 7), (OrderState::Unknown, 30)]);
    assert_eq!(again.replica(), store.replica());
}

#[tokio::test]
async fn an_order_of_which_nobody_was_told_is_removed_although_it_is_in_the_file() {
    let disk = Disk::default();
    let store = open(&disk, 7);
    let (_, ticket) = {
        let mut state = store.recorded();
        let change =
            |orders: &mut Orders| orders.begin(id(1), order(Lane::Cured), Some((&key("a"), 1)), 7);
        let queued = store.queue(&mut state, change).unwrap();
        state.note(Unconfirmed::Order(id(1)));
        queued
    };
    ticket.durable().await.unwrap();
    // The next commit fails before the first one is confirmed.
    disk.fail(Fault::Dead, 0);
    assert_eq!(begin_fails(&store, 2).await, Err(Unavailable::File));
    disk.heal();
    store.recover(99).await.unwrap();
    assert!(!store.recorded().confirm(1), "nothing is sent for it any more");
    assert_eq!(get(&store, 1).await, None);
    let free = store.begin(id(3), order(Lane::Cured), Some(&key("a")), 8).await;
    assert_eq!(free, Ok(Ok(Begun::New)));
    assert_eq!(get(&open(&power_cut(&disk), 9), 1).await, None);
}

async fn begin_fails(store: &FileOrders, number: usize) -> Result<(), Unavailable> {
    store.begin(id(number), order(Lane::Cured), None, 8).await.map(drop)
}

#[tokio::test]
async fn a_naive_cancel_that_nobody_works_on_is_given_up() {
    let disk = Disk::default();
    let store = open(&disk, 7);
    begin(&store, 1, Lane::Naive).await.unwrap();
    let (_, ticket) = {
        let mut state = store.recorded();
        state.note(Unconfirmed::Cancel(id(1)));
        store.queue(&mut state, |orders| orders.begin_cancel(id(1), 8)).unwrap()
    };
    ticket.durable().await.unwrap();
    disk.fail(Fault::Dead, 0);
    assert_eq!(begin_fails(&store, 2).await, Err(Unavailable::File));
    disk.heal();
    store.recover(99).await.unwrap();
    let order = get(&store, 1).await.unwrap();
    assert_eq!((order.state, order.note), (OrderState::Cancelling, Some(Note::CancelUnanswered)));
}

#[tokio::test]
async fn a_message_that_was_under_way_is_sent_again_after_a_restart_and_one_that_ended_is_not() {
    let disk = Disk::default();
    let store = open(&disk, 7);
    let listener = order(Lane::Cured).with_listener(Some("slow:5,none".parse().unwrap()));
    store.begin(id(1), listener, None, 7).await.unwrap().unwrap();
    learn(&store, 1, Knowledge::Unknown, 8).await.unwrap();
    learn(&store, 1, Knowledge::Reserved, 9).await.unwrap();
    let under_way = async |store: &FileOrders| {
        let messages = store.transaction(|orders| orders.untold(id(1))).await.unwrap();
        messages.iter().map(|it: &Message| it.sequence.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(under_way(&store).await, [1, 2, 3]);
    assert!(under_way(&store).await.is_empty(), "each is sent once");
    store.note(|orders| orders.end_message(id(1), 2));
    store.read(|_| ()).await.unwrap();
    let again = open(&power_cut(&disk), 10);
    assert_eq!(again.peek(Orders::with_untold), [id(1)]);
    assert_eq!(under_way(&again).await, [1, 3]);
    assert!(again.peek(Orders::with_untold).is_empty());
}

#[tokio::test]
async fn the_file_holds_no_more_orders_and_keys_than_the_memory() {
    let disk = Disk::default();
    let store = open(&disk, 7);
    let mut tickets = Vec::new();
    for number in 0..MAX_ORDERS + 10 {
        let mut state = store.recorded();
        let change = |orders: &mut Orders| {
            orders.begin(id(number), order(Lane::Naive), None, 7).unwrap();
            orders.learn(id(number), Event::Learnt(Knowledge::Reserved), None, 8);
        };
        tickets.push(store.queue(&mut state, change).unwrap().1);
    }
    for ticket in tickets {
        ticket.durable().await.unwrap();
    }
    for (number, now) in [(1_000_000, 9), (1_000_001, 90_000)] {
        let name = key(&format!("press-{number}"));
        store.begin(id(number), order(Lane::Cured), Some(&name), now).await.unwrap().unwrap();
    }
    let rows = |table| store.file.rows(table).unwrap().len();
    assert_eq!((rows("orders"), rows("customers_keys")), (MAX_ORDERS, 1));
}

#[test]
fn a_row_that_this_program_does_not_write_is_named() {
    let disk = Disk::default();
    let backend = disk.clone();
    let file = FileStore::with_backend(move || Ok(backend.backend()), NAME, FORMAT).unwrap();
    let value = Some(br#"{"lane": "cured", "history": [], "hue": "red"}"#.to_vec());
    let key = id(1).to_string().into_bytes();
    drop(file.write(vec![campuscafe_file_store::Row { table: "orders", key, value }]));
    drop(file);
    let file = FileStore::with_backend(move || Ok(disk.backend()), NAME, FORMAT).unwrap();
    let error = FileOrders::of(file, CUSTOMERS_KEYS, 7).unwrap_err().to_string();
    assert!(error.contains("table orders") && error.contains("hue"), "{error}");
}

/// What anybody can be told.
#[derive(Debug, PartialEq)]
struct View {
    orders: Vec<(OrderId, Order)>,
    keys: Vec<Option<OrderId>>,
    open: Vec<(OrderId, Question)>,
    unknown: (usize, Option<UnixMillis>),
    untold: Vec<OrderId>,
}

impl View {
    fn of(orders: &Orders) -> Self {
        let names = (0..4).map(|name| key(&format!("press-{name}")));
        Self {
            orders: orders.list(None, None, usize::MAX),
            keys: names.map(|name| orders.key(&name).map(|placed| placed.order)).collect(),
            open: orders.open(),
            unknown: orders.unknown(),
            untold: orders.with_untold(),
        }
    }
}

/// What happens, and where in it the power is cut: so much of what the disk did after the
/// last answer, and which of its unsynced writes, are kept.
#[derive(Debug, Clone)]
struct Life {
    answered: Vec<Happens>,
    unanswered: Vec<Happens>,
    cut: prop::sample::Index,
    kept: u64,
}

fn lives() -> impl Strategy<Value = Vec<Life>> {
    let happens = |most| proptest::collection::vec(Happens::any(), 0..most);
    let life = (happens(12), happens(4), any::<prop::sample::Index>(), any::<u64>());
    let life =
        life.prop_map(|(answered, unanswered, cut, kept)| Life { answered, unanswered, cut, kept });
    proptest::collection::vec(life, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn after_any_crash_the_orders_are_those_of_a_memory_that_never_crashed(lives in lives()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (mut disk, mut now) = (Disk::default(), 1_000);
        let mut memory = Orders::restore(BOUNDS, [], Vec::new());
        for Life { answered, unanswered, cut, kept } in lives {
            let store = open(&disk, now);
            memory.interrupt(now);
            let mut happen = |memory: &mut Orders, what: &Happens| {
                if let Happens::TimePasses { ms } = what {
                    now += ms;
                }
                what.to(memory, now);
                now
            };
            for what in &answered {
                let now = happen(&mut memory, what);
                runtime.block_on(store.transaction(|orders| what.to(orders, now))).unwrap();
            }
            runtime.block_on(store.read(|_| ())).unwrap();
            prop_assert_eq!(store.peek(View::of), View::of(&memory));
            let at_answer = disk.operations();
            let mut possible = vec![memory.clone()];
            for what in &unanswered {
                let now = happen(&mut memory, what);
                store.note(|orders| what.to(orders, now));
                possible.push(memory.clone());
            }
            drop(store);
            let at = at_answer + cut.index(disk.operations() - at_answer + 1);
            disk = disk.cut_at(at, |number| kept >> (number % 64) & 1 == 1);
            let after = disk.clone();
            let file = FileStore::with_backend(move || Ok(after.backend()), NAME, FORMAT);
            let again = rows::restore(&file.unwrap(), BOUNDS, &BTreeSet::new());
            let again = View::of(&again.unwrap().orders);
            let found = possible.into_iter().find(|memory| View::of(memory) == again);
            prop_assert!(found.is_some(), "{:?}", again);
            memory = found.unwrap();
        }
    }
}
