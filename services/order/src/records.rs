//! `GET /orders`: what became of the orders that were taken.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::extract::State;
use campuscafe_api::Problem;
use campuscafe_api::inventory::Reservation;
use campuscafe_api::order::{self as api, Lane, OrderList, OrderRecord, StateChange};
use campuscafe_cures::{OrderId, OrderState, UnixMillis};
use campuscafe_service::{Json, PathParam, ProblemResponse, Query, list_limit, malformed_query};
use humantime::format_rfc3339_millis;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::App;
use crate::answers::unavailable;
use crate::orders::{Note, Order, on_the_wire};
use crate::replicas::not_remembered;

const NAIVE: &str = "a naive order has no idempotency key, so nobody can ask what became of it";

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrdersQuery {
    /// Only orders in this state.
    #[param(nullable = false, inline)]
    state: Option<api::OrderState>,
    /// How many orders to list.
    #[param(minimum = 1, maximum = 1000, default = 100, nullable = false)]
    limit: Option<usize>,
    /// Lists the orders after this one.
    #[param(nullable = false, pattern = "^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$")]
    after: Option<String>,
}

/// The orders that the service remembers, oldest first: up to 20,000. When there is no room,
/// the order is forgotten that came to rest first. With a database: the orders of every process,
/// those that are at rest for 24 hours.
#[utoipa::path(get, path = "/orders", tag = "orders", params(OrdersQuery),
    responses((status = 200, body = OrderList, description = "Oldest first"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The query is invalid"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The store cannot be used now: the file of the orders cannot be written, so what is known may not be durable, or the database is away (`store-unavailable`), has no free connection (`store-busy`) or does not answer in time (`store-timeout`)", headers(("Retry-After" = u64, description = "Seconds")),
            example = json!({"type": "urn:problem-type:campuscafe:store-unavailable", "title": "Store unavailable", "status": 503, "detail": "the file of the orders cannot be written; nothing can be told of the orders"}))))]
pub(crate) async fn list_orders(
    State(app): State<Arc<App>>,
    Query(OrdersQuery { state, limit, after }): Query<OrdersQuery>,
) -> Result<Json<OrderList>, ProblemResponse> {
    let limit = list_limit(limit)?;
    let after = after.map(|text| text.parse::<OrderId>()).transpose();
    let after = after.map_err(|error| malformed_query(&format!("after: {error}")))?;
    let state =
        state.and_then(|state| OrderState::ALL.into_iter().find(|it| on_the_wire(*it) == state));
    let found = app.orders.list(state, after, limit).await;
    let found = found.map_err(|it| unavailable(&app, it, "nothing can be told of the orders"))?;
    let next = found.last().filter(|_| found.len() == limit).map(|(id, _)| id.to_string());
    let orders = found.into_iter().map(|(id, order)| record(id, order)).collect();
    Ok(Json(OrderList { orders, next }))
}

/// Where an order stands, and how it came there.
#[utoipa::path(get, path = "/orders/{orderId}", tag = "orders",
    params(("orderId" = String, Path, pattern = "^[0-9a-f]{32}$", description = "The id that the answer to the order gave")),
    responses((status = 200, body = OrderRecord, description = "The order"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The path is invalid", example = json!({"type": "urn:problem-type:campuscafe:malformed-path", "title": "Malformed path", "status": 400, "detail": "expected percent-encoded UTF-8"})),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The service does not know this order", example = json!({"type": "urn:problem-type:campuscafe:no-such-order", "title": "No such order", "status": 404, "detail": "this service has taken no such order, or has forgotten it"})),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "Another process of the order service took this order, and only that process remembers it. Digits 19 to 22 of an id name the process; a process that was restarted is another one, unless it keeps its orders in a file. With a database every process knows every order. Or the store cannot be used now (`store-unavailable`, `store-busy`, `store-timeout`)", headers(("Retry-After" = u64, description = "Seconds")),
            example = json!({"type": "urn:problem-type:campuscafe:other-replica", "title": "Another replica took this order", "status": 503, "detail": "digits 19 to 22 of the id say that another process of the order service took this order, and only that process remembers it; a request may reach it when it is sent again, unless that process has ended, because its memory has ended with it"}))))]
pub(crate) async fn get_order(
    State(app): State<Arc<App>>,
    PathParam(id): PathParam,
) -> Result<Json<OrderRecord>, ProblemResponse> {
    let Some(id) = id.parse().ok() else { return Err(not_remembered(&app, None)) };
    let order = app.orders.get(id).await;
    let order = order.map_err(|it| unavailable(&app, it, "nothing can be told of the order"))?;
    let order = order.ok_or_else(|| not_remembered(&app, Some(id)))?;
    Ok(Json(record(id, order)))
}

pub(crate) fn record(id: OrderId, order: Order) -> OrderRecord {
    let naive = order.lane == Lane::Naive && order.state == OrderState::Unknown;
    let change = |(state, at)| StateChange { state: on_the_wire(state), at: rfc3339(at) };
    let reserved = order.reserved.map(|reservation| Reservation {
        reservation_id: format!("{reservation:032x}"),
        item_id: order.item.to_lowercase(),
        quantity: u64::try_from(order.quantity).unwrap_or_default(),
    });
    OrderRecord {
        order_id: id.to_string(),
        lane: order.lane,
        state: on_the_wire(order.state),
        history: order.history.into_iter().map(change).collect(),
        item_id: order.item.into(),
        quantity: order.quantity,
        reserved,
        trace_id: order.trace.map(|trace| format!("{trace:032x}")),
        note: order.note.map(Note::text).or_else(|| naive.then_some(NAIVE)).map(str::to_owned),
    }
}

fn rfc3339(at: UnixMillis) -> String {
    format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(at)).to_string()
}
