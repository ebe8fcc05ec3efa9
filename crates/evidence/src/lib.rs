//! From raw spans and counters to what they prove.
//!
//! [`span`] reads OTLP, [`story`] tells an order from its spans and [`pings`] a
//! race of answers, [`flaw`] says why spans are no whole evidence, [`ledger`]
//! compares what the customer was told with what the inventory holds,
//! [`counters`] reads what jumped, [`turnover`] tells who served whom while pods
//! were replaced, [`diagram`] is an order as a picture without a page. [`order`],
//! [`pings`] and [`turnover`] hold what a verdict is made from.
//!
//! Everything here is a plain function over plain values: no network, no clock,
//! no layout of text.

pub mod counters;
pub mod diagram;
pub mod flaw;
pub mod ledger;
pub mod load;
pub mod order;
pub mod pings;
pub mod span;
pub mod story;
pub mod tale;
#[cfg(any(test, feature = "testing"))]
#[allow(clippy::expect_used, reason = "a test that cannot make its spans has failed")]
pub mod testing;
pub mod turnover;
