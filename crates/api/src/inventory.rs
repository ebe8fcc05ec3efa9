//! The inventory's requests and answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The stock that is left, and the number of reservations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct State {
    /// Pieces left of each item, sorted by name.
    #[schema(example = json!({"cake": 10, "coffee": 20}))]
    pub stock: BTreeMap<String, u64>,
    /// Reservations committed since the start or the last reset.
    pub reservations: u64,
}

/// The answer to a ping, sent when its delay is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pong {
    /// Always true.
    pub ok: bool,
    /// The delay that was really applied, in milliseconds.
    #[schema(example = 250)]
    pub delay_ms: u64,
    /// When the answer was made, RFC 3339, UTC.
    #[schema(example = "2026-11-23T10:15:30.25Z")]
    pub at: String,
}

/// A request to reserve pieces of one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reserve {
    /// Name of the item; letter case does not matter.
    #[schema(example = "cake")]
    pub item_id: String,
    /// Pieces to reserve; must be greater than 0.
    #[schema(example = 1, minimum = 1)]
    pub quantity: i64,
}

/// Pieces of one item that arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Delivery {
    /// Name of an item of the initial stock; letter case does not matter.
    #[schema(example = "cake")]
    pub item_id: String,
    /// Pieces that arrive; must be greater than 0.
    #[schema(example = 10, minimum = 1, maximum = 1_000_000_000)]
    pub quantity: i64,
}

/// The price of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Price {
    /// The item as the inventory knows it.
    #[schema(example = "cake")]
    pub item_id: String,
    /// In the smallest unit of a currency, such as yen or cents.
    #[schema(example = 450, maximum = 1_000_000_000)]
    pub price: u64,
    /// Which price it is: each change makes the next version. In quotes it is the `ETag`.
    #[schema(example = 2, minimum = 1)]
    pub version: u64,
}

/// A new price of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePrice {
    /// In the smallest unit of a currency, such as yen or cents.
    #[schema(example = 450, maximum = 1_000_000_000)]
    pub price: u64,
    /// Whether the change is refused unless `If-Match` names the version that it replaces.
    /// `If-Match` counts in both cases when it is sent.
    #[serde(default)]
    #[schema(default = false)]
    pub versioned: bool,
}

/// A committed reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// 32 hexadecimal digits.
    #[schema(example = "0b54ad6f1c1f4ed9a7f3d5a3b8a4c2e1")]
    pub reservation_id: String,
    /// The item as the inventory knows it.
    #[schema(example = "cake")]
    pub item_id: String,
    /// Pieces reserved.
    #[schema(example = 1)]
    pub quantity: u64,
}

/// Reservations that are cancelled: their pieces are in stock again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cancelled {
    /// In no particular order.
    pub cancelled: Vec<Reservation>,
}

/// The committed reservations whose answers are held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Holds {
    /// Oldest first.
    pub holds: Vec<Hold>,
}

/// One committed reservation whose answer is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// The X-Request-Id of the request; a release or a cut names it.
    pub request_id: String,
    /// The run of the lab's experiment that it belongs to, if its baggage names one:
    /// 32 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "0af7651916cd43dd8448eb211c80319c")]
    pub run: Option<String>,
    /// The reservation that was committed.
    pub reservation: Reservation,
    /// How long the answer has been held, in milliseconds.
    pub held_ms: u64,
    /// The longest it will be held, in milliseconds.
    pub limit_ms: u64,
}

/// How many held answers were released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Released {
    /// The request whose answers were held.
    pub request_id: String,
    /// Answers that were released; two if both attempts of one order were held.
    #[schema(example = 1)]
    pub released: u64,
}

/// How many held answers were cut off: their reservations stay, and nobody hears of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cut {
    /// The request whose answers were held.
    pub request_id: String,
    /// Answers that were cut off; two if both attempts of one order were held.
    #[schema(example = 1)]
    pub cut: u64,
}

/// What was decided under an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// A reservation is there.
    Reserved,
    /// The stock was too low. No request with this key reserves, also after a delivery.
    Refused,
    /// The reservation was there and is removed.
    Cancelled,
    /// It was settled or cancelled before any request came: no request with this key reserves.
    Void,
}

impl KeyState {
    /// The word on the wire and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Void => "void",
        }
    }
}

/// An idempotency key, and what was decided under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// The key.
    #[schema(example = "order-019ad4c1f4007b4f8f9a3b1c2d3e4f5a")]
    pub key: String,
    /// What was decided.
    pub state: KeyState,
    /// How long ago, in milliseconds.
    #[schema(example = 1500)]
    pub age_ms: u64,
    /// The reservation that is there, or was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reservation: Option<Reservation>,
}

/// Some idempotency keys, sorted by key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Keys {
    /// At most as many as were asked for.
    pub keys: Vec<Key>,
    /// The last of them, if more may follow: ask for those after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// What a message says of its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationState {
    /// It is recorded; nothing is reserved yet.
    Accepted,
    /// It is reserved.
    Confirmed,
    /// Nothing is reserved for it, and nothing can be.
    Failed,
    /// An attempt has no answer.
    Unknown,
    /// The customer wants it cancelled.
    Cancelling,
    /// It is cancelled.
    Cancelled,
}

impl NotificationState {
    /// Every state, for counters that must exist from the start.
    pub const ALL: [Self; 6] = [
        Self::Accepted,
        Self::Confirmed,
        Self::Failed,
        Self::Unknown,
        Self::Cancelling,
        Self::Cancelled,
    ];

    /// The word on the wire, in spans, metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Confirmed => "confirmed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A message about an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Notification {
    /// The order: a UUID of version 7, as 32 hexadecimal digits.
    #[schema(
        example = "019ad4c1f4007b4f8f9a3b1c2d3e4f5a",
        pattern = "^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$"
    )]
    pub order_id: String,
    /// What became of it.
    pub state: NotificationState,
    /// The place of the message among those about its order, from 1. With it an older
    /// message is dropped; without it the last message to arrive is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1, minimum = 1, maximum = 1_000_000)]
    pub sequence: Option<u64>,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Notified {
    /// The order.
    #[schema(example = "019ad4c1f4007b4f8f9a3b1c2d3e4f5a")]
    pub order_id: String,
    /// What the board shows now.
    pub shown: NotificationState,
    /// Whether the message was dropped, because the board shows a newer one.
    pub dropped: bool,
}

/// A message that arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ArrivedNotification {
    /// What it says.
    pub state: NotificationState,
    /// Its place among the messages about its order, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sequence: Option<u64>,
    /// When it arrived, RFC 3339, UTC.
    #[schema(example = "2026-11-23T10:15:30.250Z")]
    pub at: String,
    /// Whether it was dropped, because the board showed a newer one.
    pub dropped: bool,
}

/// What the board shows of an order, and how it came to that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Notifications {
    /// The order.
    #[schema(example = "019ad4c1f4007b4f8f9a3b1c2d3e4f5a")]
    pub order_id: String,
    /// What the board shows.
    pub shown: NotificationState,
    /// The last messages that arrived, at most 8, in the order of their arrival.
    pub history: Vec<ArrivedNotification>,
}
