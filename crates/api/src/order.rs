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
    /// `slowreply`, `hold` and `race`; a time or a status may follow, as in `slow:500`.
    /// At most 256 bytes and 16 steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "slow,none", max_length = 256, format = "fault-plan")]
    pub chaos: Option<String>,
    /// Whether to retry after a timeout: once and immediately, or, if the order is
    /// `idempotent`, up to twice after a random wait, within the service's deadline and retry
    /// budget.
    #[serde(default)]
    pub retry_on_timeout: bool,
    /// Whether the attempts carry an idempotency key, so that they reserve once. An order
    /// whose attempts have no answer is then answered 202, and the order service asks the
    /// inventory until it knows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub idempotent: bool,
    /// How long each attempt may take, in milliseconds; without it, as long as the service
    /// is set to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 3000, minimum = 1, maximum = 60_000)]
    pub attempt_timeout_ms: Option<u64>,
    /// Tells the board at the inventory each state that the order comes to, with one step of
    /// this plan for each message: `slow:1500,none` makes the first message late. It is a
    /// plan as `chaos`, without `hold` and `race`. The customer does not wait for the messages. In the
    /// cured lane they have sequence numbers. Without this member there are no messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "slow:1500,none", max_length = 256, format = "change-fault-plan")]
    pub notify: Option<String>,
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
            idempotent: false,
            attempt_timeout_ms: None,
            notify: None,
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

/// Whether an order's attempts have an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// They have none. An order without an answer stays unknown.
    Naive,
    /// They have one. The order service asks the inventory until it knows.
    Cured,
}

impl Lane {
    /// Both lanes, for counters that must exist from the start.
    pub const ALL: [Self; 2] = [Self::Naive, Self::Cured];

    /// The word used on the wire, in spans and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::Cured => "cured",
        }
    }
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// It is recorded, and its attempts are under way.
    Placing,
    /// One reservation is there. In the naive lane, one at least.
    Confirmed,
    /// No reservation is there, and none can come. Final.
    Failed,
    /// An attempt has no answer.
    Unknown,
    /// The customer wants it cancelled, and the inventory has not said yes yet.
    Cancelling,
    /// Nothing is reserved for it, and nothing can be. Final.
    Cancelled,
}

/// When an order came to a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StateChange {
    /// The state.
    pub state: OrderState,
    /// When, RFC 3339, UTC.
    #[schema(example = "2026-11-23T10:15:30.250Z")]
    pub at: String,
}

/// An order that was taken, as the order service remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderRecord {
    /// A UUID of version 7, as 32 hexadecimal digits: it carries the time of the order.
    #[schema(example = "019ad4c1f4007b4f8f9a3b1c2d3e4f5a")]
    pub order_id: String,
    /// Whether its attempts have an idempotency key.
    pub lane: Lane,
    /// Where it stands now.
    pub state: OrderState,
    /// Every state it came to, in this order.
    pub history: Vec<StateChange>,
    /// The item as the customer named it.
    #[schema(example = "cake")]
    pub item_id: String,
    /// Pieces ordered.
    #[schema(example = 1)]
    pub quantity: i64,
    /// What the inventory reserved, as far as the order service knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reserved: Option<Reservation>,
    /// The trace of the order; absent if tracing is switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub trace_id: Option<String>,
    /// Why nothing more will be known of an order that stays unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub note: Option<String>,
}

/// Some orders, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderList {
    /// At most as many as were asked for.
    pub orders: Vec<OrderRecord>,
    /// The last of them, if more may follow: ask for those after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
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
