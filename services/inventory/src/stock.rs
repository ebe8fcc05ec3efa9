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
    resets: u64,
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
        Self { left: initial.0.clone(), reservations: 0, resets: 0, initial }
    }

    /// Goes on from what was left before a restart. Items that are not in the initial stock
    /// are left out; those that have no number of pieces keep the initial one.
    pub(crate) fn restore(&mut self, left: BTreeMap<String, u64>, reservations: u64, resets: u64) {
        for (item, pieces) in left {
            if let Some(left) = self.left.get_mut(&item) {
                *left = pieces.min(MAX_PIECES);
            }
        }
        (self.reservations, self.resets) = (reservations, resets);
    }

    /// Reserves all pieces or none.
    ///
    /// # Errors
    ///
    /// When the quantity is not positive or more than is left.
    pub fn reserve(&mut self, item: &str, quantity: i64) -> Result<StockChange, ReserveError> {
        self.reserve_from(None, item, quantity)
    }

    /// As [`Self::reserve`]; but if a number of pieces is given that was read earlier, that
    /// number is checked, and what follows from it is written back. Whatever came in between
    /// is overwritten: a reservation, a delivery and a reset alike. The stock never becomes
    /// negative, and never higher than it was read.
    ///
    /// # Errors
    ///
    /// When the quantity is not positive or more than was read.
    pub fn reserve_from(
        &mut self,
        read: Option<u64>,
        item: &str,
        quantity: i64,
    ) -> Result<StockChange, ReserveError> {
        let quantity = positive(quantity)?;
        let item = item.to_lowercase();
        // An unknown item is only looked up, never entered: names come from
        // outside, and entries would pile up.
        let Some(left) = self.left.get_mut(&item) else {
            return Err(ReserveError::OutOfStock { left: 0 });
        };
        let before = read.unwrap_or(*left);
        let after = after_reserve(before, quantity)?;
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
        let Some(after) = after_delivery(before, quantity) else {
            return Err(DeliverError::Full { item, left: before });
        };
        *left = after;
        Ok(StockChange { item, quantity, before, after })
    }

    /// Takes a reservation back: its pieces are in stock again. `resets` is what
    /// [`Self::resets`] said when it was made; a reset since then has removed it already,
    /// and nothing changes.
    pub fn release(&mut self, item: &str, quantity: u64, resets: u64) -> Option<StockChange> {
        let left = self.left.get_mut(item).filter(|_| resets == self.resets)?;
        let before = *left;
        *left = after_release(before, quantity);
        self.reservations = self.reservations.saturating_sub(1);
        Some(StockChange { item: item.to_owned(), quantity, before, after: *left })
    }

    /// Restores the initial stock, with no reservations.
    pub fn reset(&mut self) {
        let resets = self.resets + 1;
        *self = Self { resets, ..Self::new(self.initial.clone()) };
    }

    /// How often it was reset.
    #[must_use]
    pub const fn resets(&self) -> u64 {
        self.resets
    }

    /// Pieces left of one item; 0 of an unknown one.
    #[must_use]
    pub fn left_of(&self, item: &str) -> u64 {
        self.left.get(&item.to_lowercase()).copied().unwrap_or(0)
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

/// Pieces left of an item after a reservation: all of them, or none are taken.
///
/// # Errors
///
/// When more is asked for than is left.
pub fn after_reserve(left: u64, quantity: u64) -> Result<u64, ReserveError> {
    left.checked_sub(quantity).ok_or(ReserveError::OutOfStock { left })
}

/// Pieces left of an item after a delivery; none if there is no room for so many.
#[must_use]
pub fn after_delivery(left: u64, quantity: u64) -> Option<u64> {
    left.checked_add(quantity).filter(|after| *after <= MAX_PIECES)
}

/// Pieces left of an item after a reservation was taken back. Pieces that were sold twice
/// come back twice.
#[must_use]
pub fn after_release(left: u64, quantity: u64) -> u64 {
    left.saturating_add(quantity).min(MAX_PIECES)
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
mod tests;
