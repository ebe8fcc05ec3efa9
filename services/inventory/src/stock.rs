//! The rules of the stock: plain functions over plain values.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The most items an initial stock may name; each becomes a metric label.
const MAX_ITEMS: usize = 50;

/// The longest name of an item, in bytes.
const MAX_NAME: usize = 40;

/// The most pieces of one item: far more than any lesson needs, and exact in
/// every JSON reader and metric.
pub const MAX_PIECES: u64 = 1_000_000_000;

/// The stock at the start, to which a reset returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitialStock(BTreeMap<String, u64>);

impl InitialStock {
    /// The pieces of each item.
    pub(crate) const fn pieces(&self) -> &BTreeMap<String, u64> {
        &self.0
    }
}

impl FromStr for InitialStock {
    type Err = String;

    /// # Errors
    ///
    /// When the text is not `item=pieces,...`; the error says what was expected.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut stock = BTreeMap::new();
        for entry in text.split(',') {
            let (name, pieces) = entry
                .split_once('=')
                .ok_or_else(|| format!("expected item=pieces, got {entry:?}"))?;
            let name = name.trim().to_lowercase();
            let plain = name.chars().all(|c| c.is_alphanumeric() || "-_ ".contains(c));
            if name.is_empty() || name.len() > MAX_NAME || !plain {
                return Err(format!(
                    "expected a name of 1 to {MAX_NAME} letters, digits, - or _, got {name:?}"
                ));
            }
            let pieces: u64 = pieces
                .trim()
                .parse()
                .ok()
                .filter(|pieces| *pieces <= MAX_PIECES)
                .ok_or_else(|| format!("expected 0 to {MAX_PIECES} pieces, got {pieces:?}"))?;
            if stock.insert(name.clone(), pieces).is_some() {
                return Err(format!("{name:?} is listed twice"));
            }
        }
        if stock.len() > MAX_ITEMS {
            return Err(format!("expected at most {MAX_ITEMS} items, got {}", stock.len()));
        }
        Ok(Self(stock))
    }
}

impl fmt::Display for InitialStock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries: Vec<_> =
            self.0.iter().map(|(name, pieces)| format!("{name}={pieces}")).collect();
        f.write_str(&entries.join(","))
    }
}

/// What is left, and how much was reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    initial: InitialStock,
    left: BTreeMap<String, u64>,
    reservations: u64,
}

/// What a reservation or a delivery changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockChange {
    /// The item as the stock knows it.
    pub item: String,
    /// Pieces reserved or delivered.
    pub quantity: u64,
    /// Pieces left before.
    pub before: u64,
    /// Pieces left after.
    pub after: u64,
}

/// Why nothing was reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReserveError {
    /// The quantity is 0 or less.
    NotPositive,
    /// More was asked for than is left; 0 is left of an unknown item.
    OutOfStock {
        /// Pieces left.
        left: u64,
    },
}

/// Why nothing was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliverError {
    /// The quantity is 0 or less.
    NotPositive,
    /// The initial stock does not contain the item.
    NoSuchItem,
    /// There is no room for so many.
    Full {
        /// The item as the stock knows it.
        item: String,
        /// Pieces left.
        left: u64,
    },
}

impl Stock {
    /// The stock as it opens.
    #[must_use]
    pub fn new(initial: InitialStock) -> Self {
        Self { left: initial.0.clone(), reservations: 0, initial }
    }

    /// Reserves all pieces or none.
    ///
    /// # Errors
    ///
    /// When the quantity is not positive or more than is left.
    pub fn reserve(&mut self, item: &str, quantity: i64) -> Result<StockChange, ReserveError> {
        let quantity = positive(quantity)?;
        let item = item.to_lowercase();
        // An unknown item is only looked up, never entered: names come from
        // outside, and entries would pile up.
        let Some(left) = self.left.get_mut(&item) else {
            return Err(ReserveError::OutOfStock { left: 0 });
        };
        let before = *left;
        let after =
            before.checked_sub(quantity).ok_or(ReserveError::OutOfStock { left: before })?;
        *left = after;
        self.reservations += 1;
        Ok(StockChange { item, quantity, before, after })
    }

    /// Adds pieces, all or none. Reservations stay as they are.
    ///
    /// # Errors
    ///
    /// When the quantity is not positive, the item is not in the initial stock,
    /// or there would be more than [`MAX_PIECES`] of it.
    pub fn deliver(&mut self, item: &str, quantity: i64) -> Result<StockChange, DeliverError> {
        let quantity = positive(quantity).map_err(|_| DeliverError::NotPositive)?;
        let item = item.to_lowercase();
        let Some(left) = self.left.get_mut(&item) else {
            return Err(DeliverError::NoSuchItem);
        };
        let before = *left;
        match before.checked_add(quantity) {
            Some(after) if after <= MAX_PIECES => {
                *left = after;
                Ok(StockChange { item, quantity, before, after })
            }
            _ => Err(DeliverError::Full { item, left: before }),
        }
    }

    /// Restores the initial stock, with no reservations.
    pub fn reset(&mut self) {
        *self = Self::new(self.initial.clone());
    }

    /// Pieces left, by item.
    #[must_use]
    pub const fn left(&self) -> &BTreeMap<String, u64> {
        &self.left
    }

    /// Reservations since the start or the last reset.
    #[must_use]
    pub const fn reservations(&self) -> u64 {
        self.reservations
    }
}

/// The quantity, if it is one.
///
/// # Errors
///
/// When it is 0 or less.
pub fn positive(quantity: i64) -> Result<u64, ReserveError> {
    u64::try_from(quantity).ok().filter(|quantity| *quantity > 0).ok_or(ReserveError::NotPositive)
}

#[cfg(test)]
mod tests {
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
        assert_eq!(
            (stock.left()["cake"], stock.left()["coffee"], stock.reservations()),
            (7, 20, 1)
        );
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
        assert_eq!(changed, stock());
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
}
