//! `/inventory/items/{item}/price`: a value that several callers change.
//!
//! The older of two changes may arrive last: see `campuscafe_cures::versions`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use campuscafe_api::Problem;
use campuscafe_api::inventory::{ChangePrice, Price};
use campuscafe_cures::versions::{Change, Condition, Conflict, IfMatch, Version, Versioned};
use campuscafe_service::{Connection, Json, PathParam, ProblemResponse, Query};
use campuscafe_telemetry::{SPAN_TARGET, attribute};
use tracing::info_span;

use crate::App;
use crate::commit::{mark_refusal, short};
use crate::faulted::{self, FaultQuery};
use crate::price_list::{MAX_PRICE, PriceChange, PriceError, Priced};
use crate::store::StoreOutcomeUnknown;

/// The price of an item, and its version. Until it is changed it is 400, and its version 1.
/// A reset of the stock does not change it.
#[utoipa::path(get, path = "/inventory/items/{item}/price", tag = "prices",
    params(("item" = String, Path, min_length = 1, example = "cake", description = "Name of an item of the initial stock; letter case does not matter")),
    responses((status = 200, body = Price, description = "The price", headers(("ETag" = String, description = "The version in quotes, as `If-Match` takes it"))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The path is not UTF-8", example = json!({"type": "urn:problem-type:campuscafe:malformed-path", "title": "Malformed path", "status": 400, "detail": "expected percent-encoded UTF-8"})),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The initial stock does not contain the item", example = json!({"type": "urn:problem-type:campuscafe:no-such-item", "title": "No such item", "status": 404, "detail": "expected an item of the initial stock; see GET /inventory/state", "itemId": "tea"})),
        (status = 503, body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds")), description = "The store does not work now", example = json!({"type": "urn:problem-type:campuscafe:store-unavailable", "title": "Store unavailable", "status": 503, "detail": "the file of the stock cannot be written; nothing was changed"}))))]
pub(crate) async fn get_price(
    State(app): State<Arc<App>>,
    PathParam(item): PathParam,
) -> Result<Response, ProblemResponse> {
    let Some(Priced { item, price }) = app.store.price(&item).await? else {
        return Err(problem(PriceError::NoSuchItem, &item).into());
    };
    let mut response = Json(document(item, price)).into_response();
    if let Ok(tag) = HeaderValue::try_from(price.version.to_string()) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// Changes the price of an item. Without `If-Match` the last to arrive wins, even if it was
/// sent first. With `If-Match` the price is changed only if it has one of these versions,
/// so a change that was overtaken is refused. That is decided when the price is changed,
/// after a fault has waited.
///
/// The answer has no `ETag`: it may have one only if the body of the request is what a GET
/// would tell (RFC 9110, section 9.3.4). The version is in the body.
#[utoipa::path(put, path = "/inventory/items/{item}/price", tag = "prices",
    params(FaultQuery,
        ("item" = String, Path, min_length = 1, example = "cake", description = "Name of an item of the initial stock; letter case does not matter"),
        ("If-Match" = Option<String>, Header, nullable = false, pattern = r#"^(\*|((W/)?"[!#-~]*"( ?, ?(W/)?"[!#-~]*")*)?)$"#, example = "\"1\"",
            description = "`*`, or versions in quotes (RFC 9110, section 13.1.1). The comparison is strong: a weak tag and an empty list never match")),
    request_body = ChangePrice,
    responses((status = 200, body = Price, description = "The new price"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is invalid", example = json!({"type": "urn:problem-type:campuscafe:malformed-if-match", "title": "Malformed If-Match", "status": 400, "detail": "expected * or a list of entity tags in quotes, such as \"1\""})),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The initial stock does not contain the item", example = json!({"type": "urn:problem-type:campuscafe:no-such-item", "title": "No such item", "status": 404, "detail": "expected an item of the initial stock; see GET /inventory/state", "itemId": "tea"})),
        (status = 408, body = Problem, content_type = "application/problem+json", description = "The body took longer than 10 s"),
        (status = 412, body = Problem, content_type = "application/problem+json", description = "The price has another version; `currentVersion` says which", example = json!({"type": "urn:problem-type:campuscafe:precondition-failed", "title": "Precondition failed", "status": 412, "detail": "the price has the version \"3\", which If-Match does not name; it was not changed", "itemId": "cake", "currentVersion": 3})),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "Body over 16 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "Not application/json"),
        (status = 428, body = Problem, content_type = "application/problem+json", description = "`versioned` needs `If-Match`", example = json!({"type": "urn:problem-type:campuscafe:precondition-required", "title": "Precondition required", "status": 428, "detail": "a versioned change needs If-Match with the version that it replaces, such as \"3\"; the price was not changed", "itemId": "cake", "currentVersion": 3})),
        (status = 503, body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds; absent if a fault refused the request")), description = "The fault `fail` or `slowfail`, or too much work is under way. The price was not changed"),
        StoreOutcomeUnknown))]
pub(crate) async fn change_price(
    State(app): State<Arc<App>>,
    Extension(connection): Extension<Connection>,
    PathParam(item): PathParam,
    Query(FaultQuery { chaos }): Query<FaultQuery>,
    headers: HeaderMap,
    Json(ChangePrice { price, versioned }): Json<ChangePrice>,
) -> Result<Response, ProblemResponse> {
    let if_match = headers.get_all(header::IF_MATCH).iter().map(HeaderValue::as_bytes);
    let if_match = IfMatch::from_headers(if_match).map_err(|error| {
        Problem::new(400, "malformed-if-match", "Malformed If-Match").detail(error.to_string())
    })?;
    if price > MAX_PRICE {
        return Err(too_high(price).into());
    }
    let inventory = app.clone();
    let condition = Condition::of(versioned, if_match);
    let change = async move { Ok(Json(change(&inventory, &item, price, &condition).await?)) };
    faulted::change(&app, chaos.as_deref(), &connection, change).await
}

async fn change(
    app: &App,
    item: &str,
    price: u64,
    condition: &Condition,
) -> Result<Price, ProblemResponse> {
    let changed = match app.store.change_price(item, price, condition).await? {
        Ok(changed) => changed,
        Err(error) => {
            app.metrics.price_refused(error);
            let problem = problem(error, item);
            mark_refusal(&problem);
            let why = problem.detail.as_deref().unwrap_or_default();
            tracing::info!(item, price, "Refused the price {price} of {}: {why}", short(item));
            return Err(problem.into());
        }
    };
    let PriceChange { item, change } = changed.record(|changed| evidence(app, changed)).await;
    Ok(document(item, change.after))
}

fn evidence(app: &App, PriceChange { item, change: Change { before, after } }: &PriceChange) {
    let span = info_span!(
        target: SPAN_TARGET,
        "change price",
        { attribute::PRICE_ITEM } = item,
        { attribute::PRICE_BEFORE } = before.value.cast_signed(),
        { attribute::PRICE_AFTER } = after.value.cast_signed(),
        { attribute::PRICE_VERSION_BEFORE } = before.version.number().cast_signed(),
        { attribute::PRICE_VERSION_AFTER } = after.version.number().cast_signed(),
    );
    app.metrics.price_changed();
    span.in_scope(|| {
        tracing::info!(
            item,
            price = after.value,
            version = after.version.number(),
            "Changed the price of {}: {} -> {} (version {} -> {})",
            short(item),
            before.value,
            after.value,
            before.version.number(),
            after.version.number()
        );
    });
}

fn document(item_id: String, Versioned { value, version }: Versioned<u64>) -> Price {
    Price { item_id, price: value, version: version.number() }
}

fn problem(error: PriceError, item: &str) -> Problem {
    let problem = match error {
        PriceError::NoSuchItem => Problem::new(404, "no-such-item", "No such item")
            .detail("expected an item of the initial stock; see GET /inventory/state"),
        PriceError::Conflict(Conflict::Stale(version)) => Problem::new(
            412,
            "precondition-failed",
            "Precondition failed",
        )
        .detail(format!(
            "the price has the version {version}, which If-Match does not name; it was not changed"
        )),
        PriceError::Conflict(Conflict::Unnamed(version)) => {
            Problem::new(428, "precondition-required", "Precondition required").detail(format!(
                "a versioned change needs If-Match with the version that it replaces, such as \
                 {version}; the price was not changed"
            ))
        }
    };
    let problem = problem.with("itemId", item);
    match error.current().map(Version::number) {
        Some(version) => problem.with("currentVersion", version),
        None => problem,
    }
}

fn too_high(price: u64) -> Problem {
    Problem::new(400, "price-too-high", "Price too high")
        .detail(format!("the price is {price}; expected 0 to {MAX_PRICE}"))
}
