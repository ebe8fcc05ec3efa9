//! The cures, as rules: an idempotency key whose first decision wins, a settlement that
//! fences, a cancel that cannot be overtaken, an order that may say "unknown", and a change
//! that says which version it replaces.
//!
//! Plain functions over plain values: no clock, no lock, no span, no HTTP. Time comes in
//! as an argument, so a test can decide it, and a model checker can try every order of
//! events (`tests/model.rs`).
//!
//! - [`key`]: what an idempotency key may look like, and the time that it carries.
//! - [`decisions`]: what the inventory decided under each key.
//! - [`one_key`]: the same for one key, whose record may stand anywhere.
//! - [`attempts`]: what an order knows from the answers to its attempts.
//! - [`backoff`]: how long to wait before asking again.
//! - [`budget`]: how many retries there may be, compared with first attempts.
//! - [`retry`]: whether an order makes another attempt, and when.
//! - [`order`]: the states of an order, and which may follow which.
//! - [`updates`]: which of two messages about the same thing is shown.
//! - [`touched`]: which entries have changed, for whoever keeps a copy of them.
//! - [`versions`]: changes that say which version they were made from.

pub mod attempts;
pub mod backoff;
pub mod budget;
pub mod decisions;
pub mod key;
pub mod one_key;
pub mod order;
pub mod retry;
pub mod touched;
pub mod updates;
pub mod versions;

pub use decisions::{Decision, Decisions, KeyError};
pub use key::{IdempotencyKey, InvalidKey, OrderId, Replica, UnixMillis};
pub use order::OrderState;
pub use touched::Touched;
