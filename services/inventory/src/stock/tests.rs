#![allow(clippy::unwrap_used)]
use super::*;

fn stock() -> Stock {
    Stock::new("cake=10,coffee=20".parse().unwrap())
}

#[test]
fn a_reservation_lowers_the_stock_and_counts() {
    let mut stock = stock();
    let taken = stock.reserve("cake", 3).unwrap();
    assert_eq!(taken, StockChange { item: "cake".into(), quantity: 3, before: 10, after: 7 });
    assert_eq!((stock.left()["cake"], stock.left()["coffee"], stock.reservations()), (7, 20, 1));
}

#[test]
fn the_last_piece_can_be_had_and_not_one_more() {
    let mut stock = stock();
    assert_eq!(stock.reserve("cake", 10).unwrap().after, 0);
    assert_eq!(stock.reserve("cake", 1), Err(ReserveError::OutOfStock { left: 0 }));
    assert_eq!(stock.reserve("coffee", 21), Err(ReserveError::OutOfStock { left: 20 }));
    assert_eq!(stock.reserve("coffee", i64::MAX), Err(ReserveError::OutOfStock { left: 20 }));
    assert_eq!(stock.reservations(), 1);
}

#[test]
fn what_is_written_back_from_an_old_read_overwrites_what_came_in_between() {
    let mut stock = stock();
    let read = Some(stock.left_of("Cake"));
    for _ in 0..12 {
        let taken = stock.reserve_from(read, "Cake", 1).unwrap();
        assert_eq!((taken.before, taken.after), (10, 9));
    }
    assert_eq!((stock.left()["cake"], stock.reservations()), (9, 12), "12 of 10 are sold");

    stock.deliver("cake", 100).unwrap();
    assert_eq!(stock.reserve_from(read, "cake", 10).unwrap().after, 0);
    assert_eq!(stock.left()["cake"], 0, "the delivery is lost");
    stock.reset();
    stock.reserve_from(Some(3), "cake", 1).unwrap();
    assert_eq!(stock.left()["cake"], 2, "the reset is lost");
    for read in [0, 4] {
        let refused = stock.reserve_from(Some(read), "cake", 5);
        assert_eq!(refused, Err(ReserveError::OutOfStock { left: read }));
    }
    assert_eq!((stock.left()["cake"], stock.reservations()), (2, 1));
    assert_eq!(stock.reserve_from(Some(9), "tea", 1), Err(ReserveError::OutOfStock { left: 0 }));
}

#[test]
fn pieces_that_were_sold_twice_and_come_back_do_not_exceed_the_limit() {
    let mut stock = Stock::new("cake=1000000000".parse().unwrap());
    for _ in 0..2 {
        stock.reserve_from(Some(MAX_PIECES), "cake", 7).unwrap();
    }
    let released = [(); 2].map(|()| stock.release("cake", 7, 0).unwrap().after);
    assert_eq!(released, [MAX_PIECES; 2]);
}

#[test]
fn item_names_ignore_case() {
    assert_eq!(stock().reserve("CaKe", 1).unwrap().item, "cake");
    assert_eq!("Cake=1".parse::<InitialStock>().unwrap().to_string(), "cake=1");
}

#[test]
fn an_unknown_item_is_out_of_stock_and_leaves_no_key() {
    let mut stock = stock();
    assert_eq!(stock.reserve("tea", 1), Err(ReserveError::OutOfStock { left: 0 }));
    assert_eq!(stock.left().keys().collect::<Vec<_>>(), ["cake", "coffee"]);
}

#[test]
fn a_quantity_that_is_not_positive_is_refused_for_any_item() {
    for quantity in [0, -1, i64::MIN] {
        assert_eq!(stock().reserve("cake", quantity), Err(ReserveError::NotPositive));
        assert_eq!(stock().reserve("tea", quantity), Err(ReserveError::NotPositive));
    }
}

#[test]
fn a_delivery_adds_pieces_and_changes_nothing_else() {
    let mut stock = stock();
    stock.reserve("cake", 4).unwrap();
    let delivered = stock.deliver("CAKE", 7).unwrap();
    let expected = StockChange { item: "cake".into(), quantity: 7, before: 6, after: 13 };
    assert_eq!((delivered, stock.reservations()), (expected, 1));
    assert_eq!(stock.left()["coffee"], 20);
    stock.reset();
    assert_eq!(stock.left()["cake"], 10, "the opening stays what it was");
}

#[test]
fn a_delivery_that_has_no_place_adds_nothing() {
    let mut changed = stock();
    for quantity in [0, -1, i64::MIN] {
        assert_eq!(changed.deliver("cake", quantity), Err(DeliverError::NotPositive));
    }
    assert_eq!(changed.deliver("tea", 1), Err(DeliverError::NoSuchItem));
    for quantity in [999_999_991, i64::MAX] {
        let full = DeliverError::Full { item: "cake".into(), left: 10 };
        assert_eq!(changed.deliver("cake", quantity), Err(full));
    }
    assert_eq!(changed, stock());
    assert_eq!(changed.deliver("cake", 999_999_990).unwrap().after, MAX_PIECES);
}

#[test]
fn a_reset_returns_to_the_opening() {
    let mut changed = stock();
    changed.reserve("cake", 5).unwrap();
    changed.deliver("cake", 2).unwrap();
    changed.reset();
    assert_eq!(changed.resets(), 1);
    assert_eq!(Stock { resets: 0, ..changed }, stock());
}

#[test]
fn a_release_gives_the_pieces_back_unless_a_reset_has_done_so() {
    let mut changed = stock();
    changed.reserve("cake", 4).unwrap();
    let released = changed.release("cake", 4, 0).unwrap();
    assert_eq!((released.before, released.after), (6, 10));
    assert_eq!(changed, stock());

    changed.reserve("cake", 4).unwrap();
    changed.reset();
    assert_eq!(changed.release("cake", 4, 0), None);
    assert_eq!((changed.left()["cake"], changed.reservations()), (10, 0));
}

#[test]
fn an_opening_that_cannot_be_meant_is_refused_with_what_was_expected() {
    for (text, expected) in [
        ("", "expected item=pieces, got \"\""),
        ("cake", "expected item=pieces, got \"cake\""),
        ("cake=1,", "expected item=pieces, got \"\""),
        ("cake=-1", "expected 0 to 1000000000 pieces, got \"-1\""),
        ("cake=many", "expected 0 to 1000000000 pieces, got \"many\""),
        ("=3", "expected a name of 1 to 40 letters, digits, - or _, got \"\""),
        ("a\"b=3", "expected a name of 1 to 40 letters, digits, - or _, got \"a\\\"b\""),
        ("cake=1,Cake=2", "\"cake\" is listed twice"),
    ] {
        assert_eq!(text.parse::<InitialStock>().unwrap_err(), expected);
    }
    assert_eq!(" Cake = 3 ,tea=0".parse::<InitialStock>().unwrap().to_string(), "cake=3,tea=0");
}

#[test]
fn whatever_is_thrown_together_is_an_opening_that_reads_back_or_a_refusal() {
    const PIECES: [&str; 16] = [
        "cake",
        "Tea",
        "=",
        "=",
        "=",
        ",",
        ",",
        "1",
        "20",
        "0",
        " ",
        "-1",
        "ö",
        "\"",
        "1000000001",
        "99999999999999999999",
    ];
    let mut openings = 0;
    for seed in 0..50_000 {
        let dice = |n| campuscafe_chaos::SplitMix64::nth(seed, n);
        let length = dice(0).below(9);
        let text: String =
            (1..=length).map(|n| PIECES[dice(n).below(PIECES.len() as u64) as usize]).collect();
        if let Ok(opening) = text.parse::<InitialStock>() {
            openings += 1;
            assert_eq!(opening.to_string().parse(), Ok(opening), "{text:?}");
        }
    }
    assert!(openings > 200, "both kinds are tried: {openings}");
}
