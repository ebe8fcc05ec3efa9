//! Names of span attributes and events, each declared once.
//!
//! The services write them and `campuscafe-evidence` reads them. The standard
//! ones come from the OpenTelemetry semantic conventions; ours all start with
//! `campuscafe.`.

pub use opentelemetry_semantic_conventions::attribute::{
    CLIENT_ADDRESS, DB_NAMESPACE, DB_OPERATION_NAME, DB_QUERY_SUMMARY, DB_RESPONSE_STATUS_CODE,
    DB_SYSTEM_NAME, ERROR_TYPE, HTTP_REQUEST_METHOD, HTTP_REQUEST_RESEND_COUNT,
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
/// `naive`, or `cured` if the order has an idempotency key; also on its attempts and commits.
pub const ORDER_LANE: &str = "campuscafe.order.lane";
/// The faults that its messages to a listener were to meet, if it has a listener.
pub const ORDER_NOTIFY: &str = "campuscafe.order.notify";
/// How long each attempt of the order may take, in milliseconds.
pub const ORDER_ATTEMPT_TIMEOUT: &str = "campuscafe.order.attempt_timeout_ms";
/// Why the order service did not retry although the order has attempts left: `budget` or
/// `deadline`.
pub const ORDER_RETRY_REFUSED: &str = "campuscafe.order.retry_refused";
/// `confirmed`, `failed` or `unknown`.
pub const ORDER_OUTCOME: &str = "campuscafe.order.outcome";

/// Which experiment of the lab a request belongs to: one of [`EXPERIMENTS`].
pub const EXPERIMENT: &str = "campuscafe.experiment";
/// The run of the experiment: 32 hexadecimal digits.
pub const RUN: &str = "campuscafe.run";

/// What experiments can be called.
pub const EXPERIMENTS: [&str; 21] = [
    "local",
    "slow",
    "jitter",
    "cut",
    "recover",
    "reorder",
    "nature",
    "double",
    "policy",
    "doubt",
    "kill",
    "rollout",
    "idempotent",
    "settle",
    "overtake",
    "doubleclick",
    "notify",
    "stale",
    "oversell",
    "storm",
    "crash",
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
/// Pieces that were left in truth when the commit wrote back what followed from an older read.
/// Absent if the commit overwrote nothing.
pub const STOCK_OVERWRITTEN: &str = "campuscafe.reservation.stock.overwritten";
/// Whether the caller was gone before the commit.
pub const RESERVATION_LATE: &str = "campuscafe.reservation.late";
/// Whether the same request had been committed before.
pub const RESERVATION_DUPLICATE: &str = "campuscafe.reservation.duplicate";

/// Whether the answer is what was decided earlier under the same idempotency key.
pub const IDEMPOTENT_REPLAYED: &str = "campuscafe.idempotency.replayed";
/// Whether the key was void or cancelled, so that nothing could be reserved under it any more.
pub const KEY_VOID: &str = "campuscafe.idempotency.void";

/// Why the inventory refused a request: one of [`REFUSALS`]. It is there even where the caller
/// had left, so that no answer was sent.
pub const REFUSAL: &str = "campuscafe.refusal";

/// What [`REFUSAL`] can be: the last part of the `type` of the problem that is answered.
pub const REFUSALS: [&str; 7] = [
    "out-of-stock",
    "idempotency-key-reused",
    "idempotency-key-void",
    "reservation-cancelled",
    "idempotency-key-expired",
    "precondition-failed",
    "precondition-required",
];

/// The state of its order that a message tells a listener.
pub const NOTIFICATION_STATE: &str = "campuscafe.notification.state";
/// The message's place among those about its order, from 1, if the message says so.
pub const NOTIFICATION_SEQUENCE: &str = "campuscafe.notification.sequence";
/// Whether the listener dropped the message, because it shows a newer one.
pub const NOTIFICATION_DROPPED: &str = "campuscafe.notification.dropped";

/// The item of which pieces were delivered.
pub const DELIVERY_ITEM: &str = "campuscafe.delivery.item";
/// Pieces delivered.
pub const DELIVERY_QUANTITY: &str = "campuscafe.delivery.quantity";
/// Pieces left before the delivery.
pub const DELIVERY_STOCK_BEFORE: &str = "campuscafe.delivery.stock.before";
/// Pieces left after the delivery.
pub const DELIVERY_STOCK_AFTER: &str = "campuscafe.delivery.stock.after";

/// The item whose price was changed.
pub const PRICE_ITEM: &str = "campuscafe.price.item";
/// The price before the change, in the smallest unit of a currency.
pub const PRICE_BEFORE: &str = "campuscafe.price.before";
/// The price after the change.
pub const PRICE_AFTER: &str = "campuscafe.price.after";
/// The version of the price before the change.
pub const PRICE_VERSION_BEFORE: &str = "campuscafe.price.version.before";
/// The version of the price after the change.
pub const PRICE_VERSION_AFTER: &str = "campuscafe.price.version.after";

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
