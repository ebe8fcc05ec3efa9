//! What customers were told against what the inventory holds.

use campuscafe_api::inventory::State;
use campuscafe_api::order::Outcome;
use serde::Serialize;

/// Where the number of reservations comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The commits in the order's own trace, none of them missing.
    Spans,
    /// The inventory's total before and after: orders of others count as well.
    Totals,
}

/// One order's line in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ledger {
    /// What was ordered.
    pub item: String,
    /// What the customer was told in the end.
    pub told: Outcome,
    /// Reservations the customer knows of: 1 if confirmed, else 0.
    pub known: u64,
    /// Reservations the inventory made.
    pub reservations: u64,
    /// Where that number comes from.
    pub basis: Basis,
    /// Pieces of the item left before.
    pub stock_before: u64,
    /// Pieces of the item left after.
    pub stock_after: u64,
    /// Reservations that no customer knows of; negative if one was told of a
    /// reservation that is not there.
    pub gap: i64,
}

impl Ledger {
    /// Compares the inventory before and after with what one customer was told.
    #[must_use]
    pub fn of(item: &str, told: Outcome, before: &State, after: &State) -> Self {
        let left = |state: &State| state.stock.get(item).copied().unwrap_or(0);
        Self {
            item: item.to_owned(),
            told,
            known: u64::from(told == Outcome::Confirmed),
            reservations: 0,
            basis: Basis::Totals,
            stock_before: left(before),
            stock_after: left(after),
            gap: 0,
        }
        .with(after.reservations.saturating_sub(before.reservations), Basis::Totals)
    }

    /// The same ledger with the commits that complete spans tell of.
    #[must_use]
    pub fn with_commits(self, commits: u64) -> Self {
        self.with(commits, Basis::Spans)
    }

    fn with(self, reservations: u64, basis: Basis) -> Self {
        let gap = reservations.cast_signed().saturating_sub(self.known.cast_signed());
        Self { reservations, basis, gap, ..self }
    }

    /// Pieces that orders of others took meanwhile, as far as complete spans tell this
    /// order's own: each of its reservations is of one piece.
    #[must_use]
    pub const fn taken_by_others(&self) -> u64 {
        match self.basis {
            Basis::Spans => {
                self.stock_before.saturating_sub(self.stock_after).saturating_sub(self.reservations)
            }
            Basis::Totals => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(cake: u64, reservations: u64) -> State {
        State { stock: [("cake".to_owned(), cake)].into(), reservations }
    }

    #[test]
    fn the_gap_is_what_the_inventory_holds_and_no_customer_knows_of() {
        for (told, made, gap) in [
            (Outcome::Confirmed, 1, 0),
            (Outcome::Confirmed, 2, 1),
            (Outcome::Unknown, 2, 2),
            (Outcome::Unknown, 0, 0),
            (Outcome::Failed, 1, 1),
            (Outcome::Confirmed, 0, -1),
        ] {
            let ledger = Ledger::of("cake", told, &state(10, 4), &state(10 - made, 4 + made));
            assert_eq!((ledger.gap, ledger.reservations), (gap, made), "{told:?} {made}");
        }
    }

    #[test]
    fn commits_of_complete_spans_take_the_place_of_totals_that_others_added_to() {
        let ledger = Ledger::of("cake", Outcome::Confirmed, &state(10, 4), &state(5, 9));
        assert_eq!((ledger.reservations, ledger.basis, ledger.gap), (5, Basis::Totals, 4));
        let ledger = ledger.with_commits(2);
        assert_eq!((ledger.reservations, ledger.basis, ledger.gap), (2, Basis::Spans, 1));
    }

    #[test]
    fn a_reset_in_between_does_not_underflow() {
        let ledger = Ledger::of("tea", Outcome::Failed, &state(3, 7), &state(10, 0));
        assert_eq!((ledger.reservations, ledger.stock_before, ledger.gap), (0, 0, 0));
    }
}
