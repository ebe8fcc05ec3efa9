#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use campuscafe_api::order::Lane;
use campuscafe_cures::attempts::Knowledge;
use campuscafe_cures::order::Event;
use campuscafe_tests::postgres::{Cut, Postgres, cutting, execute, rows as rows_of, test_database};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

use super::*;
use crate::orders::Note;
use crate::store::Store;
use crate::store::script::{Happens, id, key, order};

/// It is a second, and more on a machine that has other things to do.
const SOON: Duration = Duration::from_secs(3);

fn opened_with(limits: Limits, url: &str) -> DatabaseOrders {
    DatabaseOrders::new(&url.parse().unwrap(), (4, limits), &Metrics::new("1"))
}

async fn open(url: &str) -> DatabaseOrders {
    // On a machine that has other things to do a statement may take a second.
    let patient = Duration::from_secs(20);
    let limits = Limits { transaction: patient, statement: patient, connection: patient };
    let store = opened_with(limits, url);
    store.prepare().await.unwrap();
    store
}

async fn begin(store: &DatabaseOrders, number: usize, lane: Lane) {
    store.begin(id(number), order(lane), None, 7).await.unwrap().unwrap();
}

async fn learn(store: &DatabaseOrders, number: usize, knowledge: Knowledge) {
    let event = Event::Learnt(knowledge);
    store.change(id(number), |orders| orders.learn(id(number), event, None, 8)).await.unwrap();
}

async fn get(store: &DatabaseOrders, number: usize) -> Order {
    store.get(id(number)).await.unwrap().unwrap()
}

/// The process ends as by `kill -9`, and its lease runs out.
async fn end(url: &str, store: &DatabaseOrders) {
    let process = store.process;
    let sql = format!("UPDATE orders.processes SET leased_until = now() WHERE id = {process}");
    execute(url, &sql).await;
}

/// What happens, at a store; what it says.
async fn happen(what: &Happens, store: &Store, now: UnixMillis) -> String {
    match *what {
        Happens::Begin { number, cured, key: name, listener } => {
            let lane = if cured { Lane::Cured } else { Lane::Naive };
            let order = order(lane).with_listener(listener.then(|| "slow:5,none".parse().unwrap()));
            let name = name.map(|name| key(&format!("press-{name}")));
            // An id is given once.
            if store.get(id(number)).await.unwrap().is_some() {
                return String::new();
            }
            format!("{:?}", store.begin(id(number), order, name.as_ref(), now).await)
        }
        Happens::Learn { number, knowledge } => {
            let learnt = store.learn(id(number), Event::Learnt(knowledge), None, now).await;
            format!("{learnt:?} {:?}", store.untold(id(number)).await)
        }
        Happens::Cancel { number } => format!("{:?}", store.begin_cancel(id(number), now).await),
        Happens::CancelConfirmed { number } => {
            format!("{:?}", store.learn(id(number), Event::CancelConfirmed, None, now).await)
        }
        Happens::GiveUp { number } => {
            format!("{:?}", store.give_up(id(number), Note::KeyForgotten).await)
        }
        Happens::MessageEnds { number, place } => {
            store.end_message(id(number), place).await;
            String::new()
        }
        Happens::TimePasses { .. } => String::new(),
    }
}

#[tokio::test]
async fn a_database_and_memory_tell_the_same_whatever_happens() {
    let mut runner = TestRunner::deterministic();
    let scripts = proptest::collection::vec(Happens::any(), 80);
    for script in 0..6 {
        let Some(url) = test_database().await else { return };
        let (database, memory) = (Store::Database(open(&url).await), Store::in_memory());
        let mut now = 1_000;
        for what in scripts.new_tree(&mut runner).unwrap().current() {
            if let Happens::TimePasses { ms } = what {
                now += ms / 100;
            }
            let expected = happen(&what, &memory, now).await;
            assert_eq!(happen(&what, &database, now).await, expected, "{script}: {what:?}");
        }
        for state in [None, Some(OrderState::Confirmed), Some(OrderState::Unknown)] {
            for (after, limit) in [(None, 1_000), (Some(id(3)), 2)] {
                let expected = memory.list(state, after, limit).await.unwrap();
                assert_eq!(database.list(state, after, limit).await.unwrap(), expected);
            }
        }
        database.database().unwrap().renew_lease().await.unwrap();
        assert_eq!(database.unknown(), memory.unknown());
    }
}

#[tokio::test]
async fn a_customer_who_presses_many_times_at_two_services_places_one_order() {
    let Some(url) = test_database().await else { return };
    let stores = [Arc::new(open(&url).await), Arc::new(open(&url).await)];
    let mut presses = Vec::new();
    for number in 1..=40 {
        let store = stores[number % 2].clone();
        presses.push(tokio::spawn(async move {
            let name = key(&format!("press-{}", number % 4));
            store.begin(id(number), order(Lane::Cured), Some(&name), 7).await.unwrap().unwrap()
        }));
    }
    let mut new = 0;
    for press in presses {
        new += usize::from(press.await.unwrap() == Begun::New);
    }
    assert_eq!(new, 4);
    assert_eq!(stores[0].list(None, None, 100).await.unwrap().len(), 4);
    let other = campuscafe_api::inventory::Reserve { item_id: "tea".to_owned(), quantity: 1 };
    let other = Order::new(&other, Lane::Cured, None, 7);
    let refused = stores[1].begin(id(99), other, Some(&key("press-1")), 7).await.unwrap();
    assert_eq!(refused, Err(NotBegun::Key(campuscafe_cures::KeyError::OtherRequest)));
}

#[tokio::test]
async fn each_order_of_a_process_that_has_ended_is_taken_over_by_one_of_the_others() {
    let Some(url) = test_database().await else { return };
    let (ended, one, two) = (open(&url).await, open(&url).await, open(&url).await);
    for number in 1..=3 {
        begin(&ended, number, Lane::Cured).await;
    }
    begin(&ended, 4, Lane::Naive).await;
    begin(&ended, 5, Lane::Naive).await;
    begin(&one, 6, Lane::Cured).await;
    learn(&ended, 2, Knowledge::Unknown).await;
    learn(&ended, 3, Knowledge::Reserved).await;
    ended.begin_cancel(id(5), 9).await.unwrap().unwrap().unwrap();
    assert_eq!(one.take_over(10).await.unwrap().len(), 0, "its lease has not run out");

    end(&url, &ended).await;
    let (by_one, by_two) = tokio::join!(one.take_over(20), two.take_over(20));
    let (by_one, by_two) = (by_one.unwrap(), by_two.unwrap());
    let mut open: Vec<_> = by_one.open().into_iter().chain(by_two.open()).collect();
    open.sort();
    assert_eq!(open, [(id(1), Question::Settle), (id(2), Question::Settle)]);
    assert_eq!(by_one.len() + by_two.len(), 4, "each once, and none that is done");
    let states: Vec<_> = one.list(None, None, 9).await.unwrap();
    let states: Vec<_> = states.iter().map(|(_, order)| (order.state, order.note)).collect();
    assert_eq!(
        states,
        [
            (OrderState::Unknown, None),
            (OrderState::Unknown, None),
            (OrderState::Confirmed, None),
            (OrderState::Unknown, Some(Note::Interrupted)),
            (OrderState::Cancelling, Some(Note::CancelUnanswered)),
            (OrderState::Placing, None),
        ]
    );
    for store in [&one, &two] {
        store.renew_lease().await.unwrap();
    }
    assert_eq!(one.unknown().0 + two.unknown().0, 2, "each order is counted by one process");

    let late = Event::Learnt(Knowledge::Reserved);
    let learnt = ended.change(id(1), |orders| orders.learn(id(1), late, None, 30)).await.unwrap();
    assert_eq!(learnt, Some(OrderState::Confirmed), "a process that only slept may still know");
    one.end_lease().await.unwrap();
    let left = two.take_over(40).await.unwrap().open();
    assert!(left.contains(&(id(6), Question::Settle)), "{left:?}");
}

#[tokio::test]
async fn whoever_brought_an_order_to_its_state_works_on_it() {
    let Some(url) = test_database().await else { return };
    let (placing, cancelling) = (open(&url).await, open(&url).await);
    begin(&placing, 1, Lane::Cured).await;
    cancelling.begin_cancel(id(1), 9).await.unwrap().unwrap().unwrap();
    learn(&placing, 1, Knowledge::Reserved).await;
    end(&url, &cancelling).await;
    assert_eq!(placing.take_over(10).await.unwrap().open(), [(id(1), Question::Cancel)]);
}

#[tokio::test]
async fn a_message_is_sent_by_one_process_and_again_if_that_ended_meanwhile() {
    let Some(url) = test_database().await else { return };
    let (first, second) = (open(&url).await, open(&url).await);
    let listener = order(Lane::Cured).with_listener(Some("slow:5,none".parse().unwrap()));
    first.begin(id(1), listener, None, 7).await.unwrap().unwrap();
    let places = async |store: &DatabaseOrders| {
        let messages = store.untold(id(1)).await.unwrap();
        messages.iter().map(|it| it.place).collect::<Vec<_>>()
    };
    assert_eq!(places(&first).await, [1]);
    learn(&second, 1, Knowledge::Unknown).await;
    assert_eq!(places(&second).await, [2], "the first is under way");
    second.change(id(1), |orders| orders.end_message(id(1), 2)).await.unwrap();
    learn(&second, 1, Knowledge::Reserved).await;
    end(&url, &second).await;
    let left = first.take_over(10).await.unwrap();
    assert_eq!(left.with_untold(), [id(1)]);
    assert_eq!(places(&first).await, [1, 3]);
    assert!(places(&first).await.is_empty());
}

#[tokio::test]
async fn a_database_that_hangs_or_is_gone_is_said_within_a_second_and_used_again_when_it_is_back() {
    let Some(mut server) = Postgres::start().await else { return };
    let url = server.database().await;
    open(&url).await;
    let store = opened_with(Limits::OF_A_SERVICE, &url);
    store.prepare().await.unwrap();
    let place = async |number| store.begin(id(number), order(Lane::Cured), None, 7).await;
    let fails_soon = async |number| {
        let begun = Instant::now();
        let failed = place(number).await;
        assert!(matches!(failed, Err(Unavailable::Database(_))), "{failed:?}");
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    };
    // Connections of before may still be in the pool.
    let works_again = async |number| {
        let begun = Instant::now();
        while place(number).await != Ok(Ok(Begun::New)) {
            assert!(begun.elapsed() < Duration::from_secs(20));
        }
    };
    works_again(1).await;
    server.freeze();
    fails_soon(2).await;
    server.thaw();
    works_again(3).await;
    server.kill();
    fails_soon(4).await;
    server.go_on().await;
    works_again(5).await;
    let placed = open(&url).await.list(None, None, 9).await.unwrap();
    let placed: Vec<_> = placed.into_iter().map(|(id, _)| id).collect();
    assert_eq!(placed, [1, 3, 5].map(id), "nothing is placed that was refused");
}

#[tokio::test]
async fn a_commit_without_an_answer_places_the_order_once_or_leaves_no_trace_of_it() {
    for (cut, name) in [
        (Cut::ForGood, Some("press-1")),
        (Cut::ForGood, None),
        (Cut::After, Some("press-1")),
        (Cut::After, None),
        (Cut::Before, Some("press-1")),
        (Cut::Before, None),
    ] {
        let Some(url) = test_database().await else { return };
        let (through, scissors) = cutting(&url, cut).await;
        let store = open(&through).await;
        let name = name.map(key);
        scissors.arm();
        let told = store.begin(id(1), order(Lane::Cured), name.as_ref(), 7).await;
        assert!(scissors.have_cut(), "no commit was cut");
        let again = open(&url).await;
        if cut == Cut::ForGood {
            assert!(matches!(told, Err(Unavailable::Database(_))), "{told:?}");
            assert_eq!(get(&again, 1).await.state, OrderState::Placing, "nobody works on it");
            *again.abandoned() = store.abandoned().clone();
            assert_eq!(again.end_abandoned().await, Ok(Vec::new()));
            assert_eq!(again.get(id(1)).await, Ok(None));
            let pressed_again = again.begin(id(2), order(Lane::Cured), name.as_ref(), 8).await;
            assert_eq!(pressed_again, Ok(Ok(Begun::New)));
        } else {
            assert_eq!(told, Ok(Ok(Begun::New)), "{cut:?} {name:?}");
            assert_eq!(again.list(None, None, 9).await.unwrap().len(), 1);
            assert!(store.abandoned().is_empty());
            // As when the lost commit is done after it was looked for.
            if name.is_some() {
                let late = store.begin(id(1), order(Lane::Cured), name.as_ref(), 7).await;
                assert_eq!(late, Ok(Ok(Begun::New)), "it is no earlier order");
            }
        }
    }
}

#[tokio::test]
async fn a_cancel_without_an_answer_is_asked_for_or_given_up() {
    for (lane, to_ask, note) in
        [(Lane::Cured, vec![id(1)], None), (Lane::Naive, Vec::new(), Some(Note::CancelUnanswered))]
    {
        let Some(url) = test_database().await else { return };
        let (through, scissors) = cutting(&url, Cut::After).await;
        let store = open(&through).await;
        begin(&store, 1, lane).await;
        scissors.arm();
        let told = store.begin_cancel(id(1), 9).await;
        assert!(matches!(told, Err(Unavailable::Database(_))), "{told:?}");
        assert_eq!(store.end_abandoned().await, Ok(to_ask));
        let order = get(&store, 1).await;
        assert_eq!((order.state, order.note), (OrderState::Cancelling, note));
    }
}

#[tokio::test]
async fn what_is_done_and_old_is_removed_and_what_is_open_stays() {
    let Some(url) = test_database().await else { return };
    let store = open(&url).await;
    let name = key("press-1");
    store.begin(id(1), order(Lane::Cured), Some(&name), 7).await.unwrap().unwrap();
    begin(&store, 2, Lane::Cured).await;
    learn(&store, 1, Knowledge::Reserved).await;
    let day = u64::try_from(BOUNDS.horizon.as_millis()).unwrap();
    assert_eq!(store.forget(6 + day).await, Ok(false));
    assert_eq!(store.list(None, None, 9).await.unwrap().len(), 2);
    assert_eq!(store.forget(8 + day).await, Ok(false));
    let left: Vec<_> = store.list(None, None, 9).await.unwrap();
    assert_eq!(left.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), [id(2)]);
    assert!(rows_of(&url, "SELECT key FROM orders.customers_keys").await.is_empty());
    let again = store.begin(id(3), order(Lane::Cured), Some(&name), 9 + day).await;
    assert_eq!(again, Ok(Ok(Begun::New)));
}
