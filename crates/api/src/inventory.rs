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
