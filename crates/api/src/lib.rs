//! What travels on CampusCafe's wires, and nothing else: no handler, no rule.
//!
//! [`inventory`] and [`order`] hold each service's requests and answers,
//! [`problem`] the one shape of every refusal.

pub mod inventory;
pub mod order;
pub mod problem;

pub use problem::Problem;

/// The header by which all attempts of one order are known to be the same order.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// The header in which a service says which fault it applied to this answer.
pub const CHAOS_APPLIED_HEADER: &str = "x-chaos-applied";

/// The header under whose key an operation is done once.
pub const IDEMPOTENCY_KEY_HEADER: &str = "idempotency-key";

/// The header that says that an answer is what was decided earlier under the same key.
pub const IDEMPOTENT_REPLAYED_HEADER: &str = "idempotent-replayed";
