//! `GET /inventory/ping`: an answer after a chosen delay.

use std::time::Duration;

use campuscafe_api::Problem;
use campuscafe_api::inventory::Pong;
use campuscafe_service::{Json, Query};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::IntoParams;

/// The longest delay, in milliseconds.
const MAX_DELAY: i64 = 5_000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PingQuery {
    /// Milliseconds to wait before answering; limited to 0 to 5000.
    #[serde(default)]
    #[param(example = 250, default = 0)]
    delay_ms: i64,
}

/// Waits, then answers.
#[utoipa::path(get, path = "/inventory/ping", tag = "ping", params(PingQuery),
    responses((status = 200, body = Pong, description = "The delay is over"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The delay is not a whole number")))]
pub(crate) async fn ping(Query(query): Query<PingQuery>) -> Json<Pong> {
    let delay_ms = query.delay_ms.clamp(0, MAX_DELAY).unsigned_abs();
    tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    let at = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
    Json(Pong { ok: true, delay_ms, at })
}
