//! Names of span attributes and events, each declared once.
//!
//! The services write them and `campuscafe-evidence` reads them. The standard
//! ones come from the OpenTelemetry semantic conventions; ours all start with
//! `campuscafe.`.

pub use opentelemetry_semantic_conventions::attribute::{
    CLIENT_ADDRESS, ERROR_TYPE, HTTP_REQUEST_METHOD, HTTP_REQUEST_RESEND_COUNT,
    HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE, NETWORK_PROTOCOL_VERSION, SERVER_ADDRESS, SERVER_PORT,
    URL_FULL, URL_PATH, URL_QUERY, URL_SCHEME, USER_AGENT_ORIGINAL,
};

/// The order's id: 32 hexadecimal digits.
pub const ORDER_ID: &str = "campuscafe.order.id";
/// The item as the customer named it.
pub const ORDER_ITEM: &str = "campuscafe.order.item";
/// Pieces ordered.
pub const ORDER_QUANTITY: &str = "campuscafe.order.quantity";
/// The faults that were asked for, as the customer wrote them.
pub const ORDER_CHAOS: &str = "campuscafe.order.chaos";
/// How long each attempt of the order may take, in milliseconds.
pub const ORDER_ATTEMPT_TIMEOUT: &str = "campuscafe.order.attempt_timeout_ms";
/// `confirmed`, `failed` or `unknown`.
pub const ORDER_OUTCOME: &str = "campuscafe.order.outcome";

/// Which experiment of the lab a request belongs to: one of [`EXPERIMENTS`].
pub const EXPERIMENT: &str = "campuscafe.experiment";
/// The run of the experiment: 32 hexadecimal digits.
pub const RUN: &str = "campuscafe.run";

/// What experiments can be called.
pub const EXPERIMENTS: [&str; 12] = [
    "local", "slow", "jitter", "cut", "recover", "reorder", "nature", "double", "policy", "doubt",
    "kill", "rollout",
];

/// The `X-Request-Id` under which the request is known.
pub const REQUEST_ID: &str = "campuscafe.request.id";
/// The id that the customer gave the request, as it came: a list of one text, as for every
/// [recorded header](https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/).
pub const CUSTOMERS_REQUEST_ID: &str = "http.request.header.x-request-id";
/// The fault that acted, with its argument.
pub const CHAOS_STEP: &str = "campuscafe.chaos.step";

/// Whether the stock was too low, so that nothing was reserved. It is there even
/// where the caller had left, so that no status was sent.
pub const RESERVATION_REFUSED: &str = "campuscafe.reservation.refused";
/// The reservation that a commit created: 32 hexadecimal digits.
pub const RESERVATION_ID: &str = "campuscafe.reservation.id";
/// The item whose stock the commit lowered.
pub const RESERVATION_ITEM: &str = "campuscafe.reservation.item";
/// Pieces left before the commit.
pub const STOCK_BEFORE: &str = "campuscafe.reservation.stock.before";
/// Pieces left after the commit.
pub const STOCK_AFTER: &str = "campuscafe.reservation.stock.after";
/// Whether the caller was gone before the commit.
pub const RESERVATION_LATE: &str = "campuscafe.reservation.late";
/// Whether the same request had been committed before.
pub const RESERVATION_DUPLICATE: &str = "campuscafe.reservation.duplicate";

/// The item of which pieces were delivered.
pub const DELIVERY_ITEM: &str = "campuscafe.delivery.item";
/// Pieces delivered.
pub const DELIVERY_QUANTITY: &str = "campuscafe.delivery.quantity";
/// Pieces left before the delivery.
pub const DELIVERY_STOCK_BEFORE: &str = "campuscafe.delivery.stock.before";
/// Pieces left after the delivery.
pub const DELIVERY_STOCK_AFTER: &str = "campuscafe.delivery.stock.after";

/// A ping's place in the order of sending, from 0.
pub const REORDER_SENT: &str = "campuscafe.reorder.sent";
/// A ping's place in the order of completion, from 0.
pub const REORDER_COMPLETED: &str = "campuscafe.reorder.completed";
/// Pairs of pings answered in the other order than they were sent.
pub const REORDER_INVERSIONS: &str = "campuscafe.reorder.inversions";

/// Event on a server span: the caller closed its connection before the answer.
pub const EVENT_CLIENT_DISCONNECTED: &str = "client.disconnected";

/// Value of `error.type`: no connection could be made, so nothing was sent.
pub const CONNECTION_REFUSED: &str = "connection_refused";
/// Value of `error.type`: a fault cut the connection instead of answering.
pub const CONNECTION_ABORTED: &str = "connection_aborted";
