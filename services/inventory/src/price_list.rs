//! The prices: plain rules over plain values.

use std::collections::BTreeMap;

use campuscafe_cures::versions::{Change, Condition, Conflict, Version, Versioned};

/// What every item costs until its price is changed, in the smallest unit of a currency.
pub(crate) const FIRST_PRICE: u64 = 400;

/// The highest price: exact in every JSON reader and span.
pub(crate) const MAX_PRICE: u64 = 1_000_000_000;

/// The price of each item of the initial stock. It does not grow: an item that is not
/// there has no price.
#[derive(Debug)]
pub(crate) struct PriceList(BTreeMap<String, Versioned<u64>>);

/// The price of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Priced {
    /// The item as the stock knows it.
    pub(crate) item: String,
    pub(crate) price: Versioned<u64>,
}

/// A price that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PriceChange {
    /// The item as the stock knows it.
    pub(crate) item: String,
    pub(crate) change: Change<u64>,
}

/// Why a price was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PriceError {
    /// The initial stock does not contain the item.
    NoSuchItem,
    /// The condition of the request does not hold.
    Conflict(Conflict),
}

impl PriceError {
    /// The version of the price, if there is one.
    pub(crate) const fn current(self) -> Option<Version> {
        match self {
            Self::NoSuchItem => None,
            Self::Conflict(Conflict::Stale(version) | Conflict::Unnamed(version)) => Some(version),
        }
    }
}

impl PriceList {
    pub(crate) fn new<'a>(items: impl IntoIterator<Item = &'a String>) -> Self {
        let first = Versioned::first(FIRST_PRICE);
        Self(items.into_iter().map(|item| (item.clone(), first)).collect())
    }

    /// Sets a price to what it was before a restart; an item that is not there has none.
    pub(crate) fn restore(&mut self, item: &str, price: Versioned<u64>) {
        if let Some(current) = self.0.get_mut(item) {
            *current = price;
        }
    }

    pub(crate) fn get(&self, item: &str) -> Option<Priced> {
        let item = item.to_lowercase();
        let price = *self.0.get(&item)?;
        Some(Priced { item, price })
    }

    pub(crate) fn change(
        &mut self,
        item: &str,
        price: u64,
        condition: &Condition,
    ) -> Result<PriceChange, PriceError> {
        let item = item.to_lowercase();
        let current = self.0.get_mut(&item).ok_or(PriceError::NoSuchItem)?;
        let change = current.change(price, condition).map_err(PriceError::Conflict)?;
        Ok(PriceChange { item, change })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn list() -> PriceList {
        PriceList::new(&["cake".to_owned(), "coffee".to_owned()])
    }

    #[test]
    fn a_price_is_that_of_one_item_in_any_letter_case() {
        let mut list = list();
        let changed = list.change("Cake", 450, &Condition::LastWins).unwrap();
        let Change { before, after } = changed.change;
        assert_eq!((changed.item.as_str(), before.value, after.value), ("cake", FIRST_PRICE, 450));
        assert_eq!(list.get("CAKE").unwrap().price, after);
        assert_eq!(list.get("coffee").unwrap().price, before);
    }

    #[test]
    fn an_item_that_is_not_in_stock_has_no_price_and_gets_none() {
        let mut list = list();
        for condition in [Condition::LastWins, Condition::Unnamed] {
            assert_eq!(list.change("tea", 1, &condition), Err(PriceError::NoSuchItem));
        }
        assert_eq!((list.get("tea"), list.0.len()), (None, 2));
    }

    #[test]
    fn a_change_that_is_refused_tells_the_version_and_changes_nothing() {
        let mut list = list();
        let refused = list.change("cake", 1, &Condition::Unnamed).unwrap_err();
        assert_eq!(refused.current(), Some(Version::FIRST));
        assert_eq!(list.get("cake").unwrap().price, Versioned::first(FIRST_PRICE));
    }
}
