//! The fault language: which fault stands where, for which attempt.
//!
//! Everything here is a pure function over plain values: no clock, no network,
//! no source of randomness. A [`Plan`] is parsed from text, gives the [`Step`]
//! of the nth attempt, and a step with a random number gives a [`Fault`],
//! which says what happens before the commit and what between it and the reply.

mod fault;
mod parse;
mod plan;
mod split_mix;

pub use fault::{After, Before, Fault, OfReservation};
pub use parse::{MAX_PLAN_LENGTH, MAX_STEPS, MAX_WAIT, ParseError};
pub use plan::{Plan, Step};
pub use split_mix::SplitMix64;
