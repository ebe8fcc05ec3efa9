#![allow(clippy::unwrap_used)]

use campuscafe_api::inventory::Reserve;
use campuscafe_cures::attempts::Knowledge;

use super::*;

fn order(lane: Lane) -> Order {
    let reserve = Reserve { item_id: "cake".to_owned(), quantity: 1 };
    Order::new(&reserve, lane, None, 7)
}

fn orders() -> Orders {
    Orders::new(Bounds { horizon: Duration::from_secs(60), keys: 2, voids: 0 })
}

fn begin(orders: &mut Orders, number: usize, lane: Lane) -> Result<Begun, NotBegun> {
    orders.begin(id(number), order(lane), None, 7)
}

fn id(number: usize) -> OrderId {
    OrderId::new(number as u64, [0; 10])
}

#[test]
fn the_history_has_every_state_once_with_its_time() {
    let mut orders = orders();
    begin(&mut orders, 1, Lane::Cured).unwrap();
    for (knowledge, now) in
        [(Knowledge::Unknown, 8), (Knowledge::Unknown, 9), (Knowledge::Reserved, 10)]
    {
        orders.learn(id(1), Event::Learnt(knowledge), None, now);
    }
    let expected =
        [(OrderState::Placing, 7), (OrderState::Unknown, 8), (OrderState::Confirmed, 10)];
    assert_eq!(orders.get(id(1)).unwrap().history, expected);
}

#[test]
fn each_state_makes_one_message_which_has_its_place_only_in_the_cured_lane() {
    for (lane, numbers) in [(Lane::Naive, [None; 3]), (Lane::Cured, [1, 2, 3].map(Some))] {
        let mut orders = orders();
        let plan = "slow:1500,none,slow:5".parse().unwrap();
        orders.begin(id(1), order(lane).with_listener(Some(plan)), None, 7).unwrap();
        let mut told = orders.untold(id(1));
        for knowledge in [Knowledge::Unknown, Knowledge::Unknown, Knowledge::Reserved] {
            orders.learn(id(1), Event::Learnt(knowledge), None, 8);
            told.extend(orders.untold(id(1)));
        }
        let states = [OrderState::Placing, OrderState::Unknown, OrderState::Confirmed];
        let expected: Vec<_> = states.into_iter().zip(numbers).collect();
        let found: Vec<_> = told.iter().map(|it| (it.state, it.sequence)).collect();
        assert_eq!(found, expected, "{lane:?}");
        let steps: Vec<_> = told.iter().map(|it| it.step.to_string()).collect();
        assert_eq!(steps, ["slow:1500", "none", "slow:5"], "{lane:?}");
    }
}

#[test]
fn an_order_without_a_listener_makes_no_message() {
    let mut orders = orders();
    begin(&mut orders, 1, Lane::Cured).unwrap();
    assert_eq!(orders.untold(id(1)), []);
}

#[test]
fn an_order_that_nobody_can_settle_is_not_counted_among_those_being_settled() {
    let mut orders = orders();
    for number in [1, 2] {
        begin(&mut orders, number, Lane::Cured).unwrap();
        orders.learn(id(number), Event::Learnt(Knowledge::Unknown), None, 8);
    }
    orders.give_up(id(1), Note::KeyForgotten);
    assert_eq!(orders.unknown(), (1, Some(8)));
    orders.begin_cancel(id(1), 9).unwrap().unwrap();
    assert_eq!(orders.unknown(), (1, Some(8)));
}

#[test]
fn an_order_whose_key_is_new_again_takes_the_room_of_another() {
    let mut orders = orders();
    let key = IdempotencyKey::new("press-1").unwrap();
    orders.begin(id(0), order(Lane::Cured), Some((&key, 1)), 7).unwrap();
    for number in 1..MAX_ORDERS {
        begin(&mut orders, number, Lane::Naive).unwrap();
        orders.learn(id(number), Event::Learnt(Knowledge::Reserved), None, 8);
    }
    let again = orders.begin(id(MAX_ORDERS), order(Lane::Cured), Some((&key, 1)), 70_000);
    assert_eq!(again, Ok(Begun::New));
    assert_eq!(orders.orders.len(), MAX_ORDERS);
}

#[test]
fn the_unknown_orders_of_the_cured_lane_are_counted_with_the_age_of_the_oldest() {
    let mut orders = orders();
    for (number, lane, now) in [(1, Lane::Cured, 8), (2, Lane::Naive, 9), (3, Lane::Cured, 10)] {
        begin(&mut orders, number, lane).unwrap();
        orders.learn(id(number), Event::Learnt(Knowledge::Unknown), None, now);
    }
    assert_eq!(orders.unknown(), (2, Some(8)));
    orders.learn(id(1), Event::Learnt(Knowledge::NotReserved), None, 9);
    assert_eq!(orders.unknown(), (1, Some(10)));
    orders.give_up(id(3), Note::KeyForgotten);
    assert_eq!(orders.unknown(), (0, None), "nobody can settle it any more");
}

#[test]
fn without_room_the_oldest_order_at_rest_is_forgotten_and_never_an_open_one() {
    let mut orders = orders();
    for number in 0..MAX_ORDERS {
        begin(&mut orders, number, Lane::Cured).unwrap();
    }
    assert_eq!(begin(&mut orders, MAX_ORDERS, Lane::Cured), Err(NotBegun::Full));
    orders.learn(id(5), Event::Learnt(Knowledge::Unknown), None, 8);
    assert_eq!(begin(&mut orders, MAX_ORDERS, Lane::Cured), Err(NotBegun::Full));
    orders.learn(id(3), Event::Learnt(Knowledge::Reserved), None, 8);
    begin(&mut orders, MAX_ORDERS, Lane::Cured).unwrap();
    assert!(orders.get(id(3)).is_none());
    assert!(orders.get(id(5)).is_some());
}

#[test]
fn naive_orders_that_stay_unknown_never_fill_the_memory() {
    let mut orders = orders();
    for number in 0..2 * MAX_ORDERS {
        begin(&mut orders, number, Lane::Naive).unwrap();
        orders.learn(id(number), Event::Learnt(Knowledge::Unknown), None, 8);
    }
    assert!(orders.orders.len() == MAX_ORDERS && orders.at_rest.len() <= MAX_ORDERS);
}

#[test]
fn orders_are_listed_by_state_from_where_the_last_page_ended() {
    let mut orders = orders();
    for number in 1..=4 {
        begin(&mut orders, number, Lane::Naive).unwrap();
    }
    orders.learn(id(2), Event::Learnt(Knowledge::Reserved), None, 8);
    let list = |state, after| {
        orders.list(state, after, 2).into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    };
    assert_eq!(list(None, None), [id(1), id(2)]);
    assert_eq!(list(Some(OrderState::Placing), Some(id(1))), [id(3), id(4)]);
}

#[test]
fn with_a_customers_key_an_order_is_recorded_once() {
    let mut orders = orders();
    let key = |text: &str| IdempotencyKey::new(text).unwrap();
    let mut press = |number, fingerprint, key: &IdempotencyKey| {
        orders.begin(id(number), order(Lane::Cured), Some((key, fingerprint)), 7)
    };
    assert_eq!(press(1, 1, &key("a")), Ok(Begun::New));
    assert_eq!(press(2, 1, &key("a")), Ok(Begun::Known(id(1))));
    assert_eq!(press(3, 2, &key("a")), Err(NotBegun::Key(KeyError::OtherRequest)));
    assert_eq!(press(4, 1, &key("b")), Ok(Begun::New));
    assert_eq!(press(5, 1, &key("c")), Err(NotBegun::Key(KeyError::Full { keys: 2 })));
    assert_eq!(orders.list(None, None, 9).len(), 2, "what was refused is not recorded");
}

#[test]
fn a_cancel_begins_once_and_not_after_a_failure() {
    let mut orders = orders();
    for number in 1..=2 {
        begin(&mut orders, number, Lane::Cured).unwrap();
    }
    orders.learn(id(2), Event::Learnt(Knowledge::NotReserved), None, 8);
    let mut cancel = |number| {
        let begun = orders.begin_cancel(id(number), 9)?;
        Some(begun.map(|(before, order)| (before, order.state)))
    };
    use OrderState::{Cancelling, Placing};
    assert_eq!(cancel(1), Some(Ok((Placing, Cancelling))));
    assert_eq!(cancel(1), Some(Ok((Cancelling, Cancelling))));
    assert_eq!(cancel(2), Some(Err(NothingToCancel)));
    assert_eq!(cancel(3), None);
}
