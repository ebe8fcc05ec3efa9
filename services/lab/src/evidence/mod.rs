//! From raw spans and counters to what they prove.
//!
//! [`span`] reads OTLP, [`story`] tells an order from its spans and [`pings`] a
//! race of answers, [`flaw`] says why spans are no whole evidence, [`ledger`]
//! compares what the customer was told with what the inventory holds,
//! [`counters`] reads what jumped, [`source`] is where spans are waited for,
//! [`turnover`] tells who served whom while pods were replaced.

pub mod counters;
pub mod flaw;
pub mod ledger;
pub mod pings;
pub mod source;
pub mod span;
pub mod story;
pub mod turnover;

#[cfg(test)]
pub(crate) mod testing;
