//! The order service's requests and answers.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Problem;
use crate::inventory::Reservation;

/// The longest that an attempt may wait for its answer. The inventory remembers
/// a request for longer than that, so that it knows the retry again.
pub const MAX_ATTEMPT_TIMEOUT: Duration = Duration::from_mins(1);

/// An order, as a customer places it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlaceOrder {
    /// Name of the item; letter case does not matter.
    #[schema(example = "cake")]
    pub item_id: String,
    /// Pieces wanted; must be greater than 0.
    #[schema(example = 1, minimum = 1)]
    pub quantity: i64,
    /// The faults to apply, one step for each attempt: `slow,none` makes the
    /// first attempt slow and the second one healthy. The last step repeats.
    /// The faults are `none`, `slow`, `fail`, `slowfail`, `abort`, `flaky`, `lostreply`,
    /// `slowreply` and `hold`; a time or a status may follow, as in `slow:500`.
    /// At most 256 bytes and 16 steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "slow,none", max_length = 256, format = "fault-plan")]
    pub chaos: Option<String>,
    /// Whether to retry once, immediately, after a timeout.
    #[serde(default)]
    pub retry_on_timeout: bool,
    /// How long each attempt may take, in milliseconds; without it, as long as the service
    /// is set to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 3000, minimum = 1, maximum = 60_000)]
    pub attempt_timeout_ms: Option<u64>,
}

impl PlaceOrder {
    /// An order of one piece that meets no fault and is not retried.
    #[must_use]
    pub fn of(item: &str) -> Self {
        Self {
            item_id: item.to_owned(),
            quantity: 1,
            chaos: None,
            retry_on_timeout: false,
            attempt_timeout_ms: None,
        }
    }

    /// How long each attempt may take, if the customer says so.
    ///
    /// # Errors
    ///
    /// A 400 when it is no time from 1 ms to [`MAX_ATTEMPT_TIMEOUT`].
    pub fn attempt_timeout(&self) -> Result<Option<Duration>, Problem> {
        let Some(ms) = self.attempt_timeout_ms else { return Ok(None) };
        let timeout = Duration::from_millis(ms);
        if timeout.is_zero() || timeout > MAX_ATTEMPT_TIMEOUT {
            let most = MAX_ATTEMPT_TIMEOUT.as_millis();
            return Err(Problem::new(400, "invalid-timeout", "Invalid timeout")
                .detail(format!("attemptTimeoutMs is {ms}; expected 1 to {most}")));
        }
        Ok(Some(timeout))
    }
}

/// How one attempt ended, as the order service saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptResult {
    /// A complete 2xx answer with the reservation.
    Ok,
    /// A refusal.
    Rejected,
    /// No complete answer within the timeout.
    Timeout,
    /// The attempt was sent; then the connection was reset or closed.
    ConnectionLost,
    /// Nothing was sent, because no connection could be made.
    Refused,
}

impl AttemptResult {
    /// Every result there is, for counters that must exist from the start.
    pub const ALL: [Self; 5] =
        [Self::Ok, Self::Rejected, Self::Timeout, Self::ConnectionLost, Self::Refused];

    /// The word used on the wire, in metrics and in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rejected => "rejected",
            Self::Timeout => "timeout",
            Self::ConnectionLost => "connection_lost",
            Self::Refused => "refused",
        }
    }
}

/// One attempt to reserve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// 1 for the first.
    #[schema(example = 1)]
    pub number: u32,
    /// How it ended.
    pub result: AttemptResult,
    /// From sending it until the complete answer, or until it failed, in milliseconds.
    #[schema(example = 1001)]
    pub duration_ms: u64,
    /// The HTTP status, if an answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// How the order ended, as far as the order service knows.
///
/// `Unknown` is not `Failed`: after a timeout or a lost connection the
/// inventory may have reserved, but the order service does not know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// At least one attempt was answered with a reservation.
    Confirmed,
    /// Nothing was reserved, and that is certain.
    Failed,
    /// An attempt was sent, and no answer came.
    Unknown,
}

impl Outcome {
    /// Every outcome there is, for counters that must exist from the start.
    pub const ALL: [Self; 3] = [Self::Confirmed, Self::Failed, Self::Unknown];

    /// The word used on the wire, in spans, metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// What an order's answer says whether it went well or not: the body of a
/// confirmation, the extension members of a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderReport {
    /// 32 hexadecimal digits.
    #[schema(example = "5f0c6c0e7a4b4f7f9a3b1c2d3e4f5a6b")]
    pub order_id: String,
    /// How the order ended, as far as the order service knows.
    pub outcome: Outcome,
    /// All attempts, in the order in which they were made.
    pub attempts: Vec<Attempt>,
    /// The trace of this order; absent if tracing is switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
}

/// A confirmed order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Confirmation {
    /// What the inventory answered.
    pub reserved: Reservation,
    /// `reserved (first try) ✅` or `reserved (after timeout retry) ⚠️`.
    pub note: String,
    /// What every answer to an order says.
    #[serde(flatten)]
    pub report: OrderReport,
}

/// A ping as it was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedPing {
    /// Place in the order of sending, from 0.
    pub i: u32,
    /// Its delay in milliseconds.
    pub delay_ms: u64,
}

/// A ping as it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CompletedPing {
    /// Place in the order of sending, from 0.
    pub i: u32,
    /// Its delay in milliseconds.
    pub delay_ms: u64,
    /// When the inventory answered, RFC 3339, UTC.
    pub at: String,
}

/// Pings sent in one order and answered in another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reordering {
    /// In the order of sending.
    pub planned: Vec<PlannedPing>,
    /// In the order of completion.
    pub completed_order: Vec<CompletedPing>,
    /// Pairs of pings that were answered in a different order from the requests.
    pub inversions: u64,
    /// The trace of these pings; absent if tracing is switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
}
