//! From raw spans and counters to what they prove.
//!
//! [`span`] reads OTLP. [`from_spans`] says what can be read from the spans of a
//! trace: one order ([`order_trace`]), or the order of many replies
//! ([`message_order`]); [`flaw`] names what is missing or contradictory.
//! [`counters`] reads what the services count, and [`ledger`] compares what the
//! customer was told with what the inventory holds. [`diagram`] is an order as a
//! picture that nobody has drawn yet, and [`local_history`] is what one party can
//! tell of it; [`knowledge`] is what each party knows at a moment. [`waterfall`] holds
//! the spans of an order themselves, and [`log_lines`] what the services wrote meanwhile.
//! [`so_far`] is an order that is under way. [`calls`] are the calls of a script, which is no
//! order, and [`refusal`] says why one of them did nothing.
//!
//! A verdict is made from an [`order::Order`], a [`message_order::PingBatch`] or a
//! [`pod_replacement::PodReplacement`]; [`load`] holds the result of a load.
//!
//! Everything here is a plain function over plain values: no network, no clock,
//! no layout of text.

pub mod calls;
pub mod counters;
pub mod diagram;
pub mod flaw;
pub mod from_spans;
pub mod knowledge;
pub mod ledger;
pub mod load;
pub mod local_history;
pub mod log_lines;
pub mod message_order;
pub mod order;
pub mod order_trace;
pub mod pod_replacement;
pub mod refusal;
pub mod so_far;
pub mod span;
#[cfg(any(test, feature = "testing"))]
#[allow(clippy::expect_used, reason = "a test that cannot make its spans has failed")]
pub mod testing;
pub mod waterfall;
