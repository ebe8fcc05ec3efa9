//! Faults around a change that is no reservation.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use campuscafe_api::Problem;
use campuscafe_chaos::{After, Before, Fault, Plan, SplitMix64};
use campuscafe_service::{Connection, ProblemResponse, WorkKind};
use campuscafe_telemetry::{SPAN_TARGET, SuppressedResponse, attribute, set_attribute};
use serde::Deserialize;
use tracing::{Instrument as _, Span, info_span};
use utoipa::IntoParams;

use crate::App;

/// The query of a call that changes something and reserves nothing.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultQuery {
    /// The fault to apply, such as `lostreply` or `slow:500`; every fault but `hold` and
    /// `race`.
    #[param(example = "none", nullable = false, max_length = 256, format = "change-fault-plan")]
    pub(crate) chaos: Option<String>,
}

/// Makes a change with the fault that was asked for, in a task that goes on when its
/// caller leaves. The answer is cut off if the fault says so.
///
/// # Errors
///
/// A 400 when the fault is none that a change can meet, a 503 when there is too much work,
/// and what the fault or the change answers.
pub(crate) async fn change<T>(
    app: &Arc<App>,
    fault: Option<&str>,
    connection: &Connection,
    change: impl Future<Output = Result<T, ProblemResponse>> + Send + 'static,
) -> Result<Response, ProblemResponse>
where
    T: IntoResponse + Send + 'static,
{
    let fault = wanted(fault)?;
    let kind = if fault.waits() { WorkKind::Slow } else { WorkKind::Ordinary };
    app.work.on_time(connection)?;
    let permit = app.work.admit(kind)?;
    set_attribute(&Span::current(), attribute::CHAOS_STEP, fault.to_string());
    if fault.is_active() {
        app.metrics.fault(&fault);
    }
    let work = async move {
        let _permit = permit;
        carry_out(fault, change).await
    };
    if let Some(answer) = app.lifecycle.complete(work).await? {
        return answer.map(IntoResponse::into_response);
    }
    Ok(cut(connection))
}

/// Cuts the connection, so that no answer leaves.
pub(crate) fn cut(connection: &Connection) -> Response {
    connection.cut();
    let mut response = Response::default();
    response.extensions_mut().insert(SuppressedResponse);
    response
}

fn wanted(fault: Option<&str>) -> Result<Fault, ProblemResponse> {
    let plan: Plan = fault.unwrap_or_default().parse().map_err(unknown_fault)?;
    let fault = plan.step(1).resolve(|| SplitMix64::nth(rand::random(), 0));
    fault.of_change().map_err(unknown_fault)
}

/// None if no answer may leave.
async fn carry_out<T>(
    fault: Fault,
    change: impl Future<Output = Result<T, ProblemResponse>>,
) -> Option<Result<T, ProblemResponse>> {
    match fault.before_commit() {
        Before::Commit => {}
        Before::WaitThenCommit(wait) | Before::ReadThenWait(wait) => {
            observed(&fault, tokio::time::sleep(wait)).await;
        }
        Before::WaitThenFail(wait, status) => {
            observed(&fault, tokio::time::sleep(wait)).await;
            return Some(Err(failed_on_request(&fault, status, "changed").into()));
        }
        Before::Cut => {
            observed(&fault, std::future::ready(())).await;
            return None;
        }
    }
    let changed = change.await;
    match fault.after_commit() {
        After::WaitThenReply(wait) => observed(&fault, tokio::time::sleep(wait)).await,
        After::Cut => {
            observed(&fault, std::future::ready(())).await;
            return None;
        }
        After::Reply | After::HoldThenReply(_) => {}
    }
    Some(changed)
}

/// Applies a fault under a span of its own.
pub(crate) async fn observed<T>(fault: &Fault, effect: impl Future<Output = T>) -> T {
    let span = info_span!(
        target: SPAN_TARGET,
        "chaos",
        otel.name = format!("chaos {}", fault.name()),
        { attribute::CHAOS_STEP } = fault.to_string(),
    );
    effect.instrument(span).await
}

pub(crate) fn unknown_fault(error: impl std::error::Error) -> ProblemResponse {
    Problem::new(400, "unknown-fault", "Unknown fault").detail(error.to_string()).into()
}

pub(crate) fn failed_on_request(fault: &Fault, status: u16, done: &str) -> Problem {
    Problem::new(status, "fault-on-request", "Failed on request")
        .detail(format!("the fault {fault} was requested; nothing was {done}"))
        .with("message", "failed on request")
}
