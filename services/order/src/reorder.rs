//! `GET /demo/out-of-order`: sent in one order, answered in another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use campuscafe_api::Problem;
use campuscafe_api::inventory::Pong;
use campuscafe_api::order::{CompletedPing, PlannedPing, Reordering};
use campuscafe_service::{Json, ProblemResponse, Query, WorkKind, WorkPermit};
use campuscafe_telemetry::http_client::SpanNumber;
use campuscafe_telemetry::{Baggage, attribute, current_trace_id, set_attribute, shortened};
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, Result};
use serde::Deserialize;
use tokio::task::JoinSet;
use tracing::{Instrument as _, Span};
use utoipa::{IntoParams, ToSchema};

use crate::App;
use crate::calls::PING;
use crate::order_problem::truncated;
use crate::sequence::{delays, inversions, overtakers};

/// Far beyond every delay: here it is the order that is the lesson, and a
/// ping that was cut would hide it.
const PING_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReorderQuery {
    /// Pings to send at once; limited to 2 to 20.
    #[serde(default = "default_count")]
    #[param(example = 6)]
    count: i64,
    /// The same seed gives the same delays; random if absent.
    #[param(example = 7, value_type = Option<u64>, format = "uint64", minimum = 0)]
    seed: Option<u64>,
    /// Whether each ping gets a delay (`planned`), or none (`none`): then only the network
    /// and the machine decide on the order of the answers.
    #[serde(default)]
    #[param(inline)]
    delays: Delays,
}

/// Which delays the pings get.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Delays {
    #[default]
    Planned,
    None,
}

const fn default_count() -> i64 {
    6
}

/// Sends several pings at once, each with a random delay, and reports the order of
/// their answers.
#[utoipa::path(get, path = "/demo/out-of-order", tag = "demo", params(ReorderQuery),
    responses((status = 200, body = Reordering, description = "Every ping was answered"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The count or the seed is not a whole number"),
        (status = 502, body = Problem, content_type = "application/problem+json", description = "A ping was not answered", example = json!({"type": "urn:problem-type:campuscafe:ping-unanswered", "title": "A ping was not answered", "status": 502, "detail": "the inventory did not answer a ping"})),
        (status = 503, body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds")),
            description = "Too much work is under way; no ping was sent")))]
pub(crate) async fn out_of_order(
    State(app): State<Arc<App>>,
    baggage: Option<Extension<Baggage>>,
    Query(query): Query<ReorderQuery>,
) -> std::result::Result<Json<Reordering>, ProblemResponse> {
    let count = u32::try_from(query.count.clamp(2, 20)).unwrap_or(20);
    let mut permits = permits(&app, count)?.into_iter();
    let delays = match query.delays {
        Delays::Planned => delays(count, query.seed.unwrap_or_else(rand::random)),
        Delays::None => (0..count).map(|_| 0).collect(),
    };
    let planned: Vec<PlannedPing> =
        (0..count).zip(delays).map(|(i, delay_ms)| PlannedPing { i, delay_ms }).collect();
    let arrivals = Arrivals::default();
    let Extension(baggage) = baggage.unwrap_or_default();
    let mut pings = JoinSet::new();
    for ping in planned.clone() {
        let position = PingPosition { sent: ping.i, arrivals: arrivals.clone() };
        let permit = permits.next();
        let sent = send(app.clone(), ping, position, baggage.clone(), permit);
        pings.spawn(sent.instrument(Span::current()));
    }
    let mut answered = HashMap::new();
    while let Some(pong) = pings.join_next().await {
        let (i, pong) = pong.map_err(|error| no_answer(&error))??;
        answered.insert(i, pong);
    }

    let arrived = arrivals.all();
    let inverted = inversions(&arrived);
    app.metrics.reordered(&arrived, overtakers(&arrived));
    set_attribute(&Span::current(), attribute::REORDER_INVERSIONS, inverted.cast_signed());
    tracing::info!(count, inversions = inverted, "pings answered");
    let completed = |i: &u32| {
        let pong = answered.remove(i)?;
        Some(CompletedPing { i: *i, delay_ms: pong.delay_ms, at: pong.at })
    };
    Ok(Json(Reordering {
        planned,
        completed_order: arrived.iter().filter_map(completed).collect(),
        inversions: inverted,
        trace_id: current_trace_id(),
    }))
}

/// A permit for each ping, since each has a connection of its own; but no more
/// than slow work may have, or under a small bound none could ever be sent.
fn permits(app: &App, count: u32) -> std::result::Result<Vec<WorkPermit>, ProblemResponse> {
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(app.slow_share);
    (0..count).map(|_| app.work.admit(WorkKind::Slow)).collect()
}

async fn send(
    app: Arc<App>,
    ping: PlannedPing,
    position: PingPosition,
    baggage: Baggage,
    _permit: Option<WorkPermit>,
) -> std::result::Result<(u32, Pong), ProblemResponse> {
    let response = app
        .clients
        .pinging
        .get(app.url(PING))
        .query(&[("delayMs", ping.delay_ms)])
        .timeout(PING_TIMEOUT)
        .with_extension(PING)
        .with_extension(SpanNumber(position.sent))
        .with_extension(baggage)
        .with_extension(position)
        .send()
        .await
        .map_err(|error| no_answer(&error))?;
    let status = response.status();
    if !status.is_success() {
        let said = response.json::<Problem>().await.ok();
        let said = said.map(|said| said.detail.unwrap_or(said.title)).unwrap_or_default();
        return Err(ping_problem(&format!(
            "the inventory answered a ping with {status}: {}",
            truncated(&said)
        )));
    }
    let pong: Pong = response.json().await.map_err(|error| no_answer(&error))?;
    Ok((ping.i, Pong { at: shortened(&pong.at).into_owned(), ..pong }))
}

fn no_answer(error: &dyn std::error::Error) -> ProblemResponse {
    ping_problem(&format!("the inventory did not answer a ping: {error}"))
}

fn ping_problem(detail: &str) -> ProblemResponse {
    Problem::new(502, "ping-unanswered", "A ping was not answered").detail(truncated(detail)).into()
}

/// The places of the pings answered so far, in the order of their answers.
#[derive(Debug, Clone, Default)]
struct Arrivals(Arc<Mutex<Vec<u32>>>);

impl Arrivals {
    /// Notes an answer; tells its place in the order of completion, from 0.
    fn note(&self, sent: u32) -> usize {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(sent);
        all.len() - 1
    }

    fn all(&self) -> Vec<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A ping's place in the order of sending; in the request's extensions.
#[derive(Debug, Clone)]
struct PingPosition {
    sent: u32,
    arrivals: Arrivals,
}

/// Puts both places of a ping on its span. It stands below the telemetry, so
/// that the current span is the ping's own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PositionRecorder;

#[async_trait::async_trait]
impl Middleware for PositionRecorder {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let position = extensions.get::<PingPosition>().cloned();
        let response = next.run(request, extensions).await?;
        if let Some(PingPosition { sent, arrivals }) = position {
            let completed = i64::try_from(arrivals.note(sent)).unwrap_or(i64::MAX);
            set_attribute(&Span::current(), attribute::REORDER_SENT, i64::from(sent));
            set_attribute(&Span::current(), attribute::REORDER_COMPLETED, completed);
        }
        Ok(response)
    }
}
