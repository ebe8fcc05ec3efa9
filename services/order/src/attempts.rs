//! The client of the inventory: one attempt or several, each seen for itself.
//!
//! Middleware, from the outside in: the retry of the lane; [`AttemptRecorder`], which gives
//! each attempt its number, its fault and its place in the report; the
//! telemetry, so that each attempt has its own span.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use campuscafe_api::Problem;
use campuscafe_api::inventory::{Reservation, Reserve};
use campuscafe_api::order::{Attempt, AttemptResult, Lane};
use campuscafe_chaos::{Fault, Plan, Step};
use campuscafe_cures::IdempotencyKey;
use campuscafe_cures::attempts::Answer;
use campuscafe_service::seconds;
use campuscafe_telemetry::http_client::{Observe, TransportError, WholeBody};
use http::Extensions;
use reqwest::{Request, Response, Url};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next, Result};
use reqwest_retry::{
    RetryDecision, RetryPolicy, RetryTransientMiddleware, Retryable, RetryableStrategy,
};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::cured_retry::CuredRetry;
use crate::metrics::OrderMetrics;
use crate::outcome::should_retry;

/// Shorter than servers keep idle connections, so that no request is written
/// into one that is just being closed: it would look like a fault.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// The clients for each way of asking; they share one pool of connections.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    pub(crate) once: ClientWithMiddleware,
    pub(crate) retrying: ClientWithMiddleware,
    pub(crate) cured: ClientWithMiddleware,
    pub(crate) pinging: ClientWithMiddleware,
    pub(crate) settling: ClientWithMiddleware,
}

impl Clients {
    pub(crate) fn new(
        observe: Observe,
        metrics: Arc<OrderMetrics>,
        cured: CuredRetry,
        pings: impl Middleware,
    ) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            // Every attempt must be ours, seen and counted.
            .retry(reqwest::retry::never())
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .build()?;
        let recorder = AttemptRecorder { metrics };
        let naive =
            RetryTransientMiddleware::new_with_policy_and_strategy(RetryImmediately, TimeoutsOnly);
        Ok(Self {
            once: ClientBuilder::new(client.clone())
                .with(recorder.clone())
                .with(observe.clone())
                .build(),
            retrying: ClientBuilder::new(client.clone())
                .with(naive)
                .with(recorder.clone())
                .with(observe.clone())
                .build(),
            cured: ClientBuilder::new(client.clone())
                .with(cured)
                .with(recorder)
                .with(observe.clone())
                .build(),
            settling: ClientBuilder::new(client.clone()).with(observe.clone()).build(),
            pinging: ClientBuilder::new(client).with(observe).with(pings).build(),
        })
    }
}

/// What an order asks of the inventory, and what came of it so far; in the
/// request's extensions, which outlast a retry.
#[derive(Debug)]
pub(crate) struct AttemptContext {
    pub(crate) reserve: Reserve,
    pub(crate) request_id: String,
    /// Under which the inventory reserves once, in the cured lane.
    pub(crate) key: Option<IdempotencyKey>,
    /// Whether the customer wants another attempt after a timeout.
    pub(crate) retry: bool,
    plan: Option<Plan>,
    attempts: Mutex<Vec<EndedAttempt>>,
}

#[derive(Debug)]
struct EndedAttempt {
    attempt: Attempt,
    answer: Answer,
    reserved: Option<Reservation>,
}

impl AttemptContext {
    pub(crate) fn new(
        reserve: Reserve,
        plan: Option<Plan>,
        request_id: String,
        key: Option<IdempotencyKey>,
        retry: bool,
    ) -> Self {
        Self { reserve, request_id, key, retry, plan, attempts: Mutex::default() }
    }

    /// The faults that the customer asked for.
    pub(crate) fn faults(&self) -> String {
        self.plan.as_ref().map_or_else(|| "none".to_owned(), Plan::to_string)
    }

    /// An order with a key is in the cured lane.
    pub(crate) const fn lane(&self) -> Lane {
        if self.key.is_some() { Lane::Cured } else { Lane::Naive }
    }

    fn all(&self) -> MutexGuard<'_, Vec<EndedAttempt>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        self.all().iter().map(|ended| ended.attempt.clone()).collect()
    }

    /// How the attempts ended, as far as the key is concerned.
    pub(crate) fn answers(&self) -> Vec<Answer> {
        self.all().iter().map(|ended| ended.answer).collect()
    }

    /// What the last attempt reserved.
    pub(crate) fn reserved(&self) -> Option<Reservation> {
        self.all().last()?.reserved.clone()
    }

    /// The reservation that an answer holds, if it is the one that was asked for.
    fn reservation(&self, response: &Response) -> Option<Reservation> {
        let said = response.status().is_success().then(|| body(response)).flatten();
        said.filter(|reservation| matches_request(&self.reserve, reservation))
    }
}

/// What became of an attempt, in the order service's words. Whatever answers
/// "fine" without the reservation has not said yes.
fn result_of(
    response: std::result::Result<&Response, &Error>,
    reserved: Option<&Reservation>,
) -> AttemptResult {
    match (response, reserved) {
        (Ok(_), Some(_)) => AttemptResult::Ok,
        (Ok(_), None) => AttemptResult::Rejected,
        (Err(error), _) => unanswered(error),
    }
}

/// What an attempt says about every attempt under the same key.
fn under_key(result: AttemptResult, response: Option<&Response>) -> Answer {
    match result {
        AttemptResult::Ok => Answer::Reserved,
        AttemptResult::Timeout | AttemptResult::ConnectionLost => Answer::None,
        AttemptResult::Refused => Answer::NotSent,
        AttemptResult::Rejected => match response.and_then(body::<Problem>) {
            Some(said) if is_under_key(&said) => Answer::RefusedUnderKey,
            Some(_) => Answer::RefusedBeforeKey,
            // Whatever answered is no inventory; what stands behind it nobody knows.
            None => Answer::None,
        },
    }
}

/// Whether the inventory refused because of what is decided under the key. A fault can
/// have the same status, and says nothing about the key.
fn is_under_key(said: &Problem) -> bool {
    [":out-of-stock", ":idempotency-key-void", ":reservation-cancelled"]
        .iter()
        .any(|kind| said.kind.ends_with(kind))
}

/// What it means that no answer came.
pub(crate) fn unanswered(error: &Error) -> AttemptResult {
    match TransportError::of(error) {
        TransportError::Timeout => AttemptResult::Timeout,
        TransportError::ConnectionLost => AttemptResult::ConnectionLost,
        TransportError::ConnectionRefused => AttemptResult::Refused,
    }
}

/// The value that an answer holds as JSON.
pub(crate) fn body<T: DeserializeOwned>(response: &Response) -> Option<T> {
    let WholeBody(body) = response.extensions().get()?;
    serde_json::from_slice(body).ok()
}

/// Whether a reservation is of what was asked for: the same item, whose name
/// ignores case as it does in the inventory, and as many pieces.
fn matches_request(reserve: &Reserve, reservation: &Reservation) -> bool {
    let same_item = reservation.item_id.to_lowercase() == reserve.item_id.to_lowercase();
    let same_quantity = u64::try_from(reserve.quantity) == Ok(reservation.quantity);
    same_item && same_quantity && is_an_id(&reservation.reservation_id)
}

fn is_an_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Gives each attempt its number and its fault, and reports what became of it.
#[derive(Debug, Clone)]
struct AttemptRecorder {
    metrics: Arc<OrderMetrics>,
}

#[async_trait::async_trait]
impl Middleware for AttemptRecorder {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let Some(context) = extensions.get::<Arc<AttemptContext>>().cloned() else {
            return next.run(request, extensions).await;
        };
        let number = u32::try_from(context.all().len()).unwrap_or(u32::MAX).saturating_add(1);
        let step = context.plan.as_ref().map(|plan| plan.step(number));
        if let Some(step) = step {
            add_fault(&step.to_string(), request.url_mut());
        }
        if number > 1 {
            self.metrics.retried(context.lane());
            tracing::info!(request_id = context.request_id, "Retries: sends attempt {number}");
        }
        let sent = Instant::now();
        let response = next.run(request, extensions).await;
        let reserved = response.as_ref().ok().and_then(|response| context.reservation(response));
        let attempt = Attempt {
            number,
            result: result_of(response.as_ref(), reserved.as_ref()),
            duration_ms: u64::try_from(sent.elapsed().as_millis()).unwrap_or(u64::MAX),
            status: response.as_ref().ok().map(|response| response.status().as_u16()),
        };
        let step = step.unwrap_or(Step::Fixed(Fault::None));
        self.metrics.attempted(attempt.result, step, context.lane());
        tracing::info!(
            request_id = context.request_id,
            attempt = number,
            result = attempt.result.as_str(),
            status = attempt.status,
            duration_ms = attempt.duration_ms,
            "{}",
            in_words(&attempt)
        );
        let answer = under_key(attempt.result, response.as_ref().ok());
        context.all().push(EndedAttempt { attempt, answer, reserved });
        response
    }
}

fn in_words(attempt: &Attempt) -> String {
    let Attempt { number, result, duration_ms, status } = attempt;
    let after = seconds(Duration::from_millis(*duration_ms));
    match (result, status) {
        (AttemptResult::Timeout, _) => {
            format!("Gives up attempt {number} after {after}: no answer")
        }
        (AttemptResult::Ok, _) => format!("Attempt {number}: reserved, after {after}"),
        (result, Some(status)) => {
            format!("Attempt {number}: {} with {status}, after {after}", result.as_str())
        }
        (AttemptResult::ConnectionLost, None) => {
            format!("Attempt {number}: the connection was lost after {after}")
        }
        (result, None) => format!("Attempt {number}: {}, nothing was sent", result.as_str()),
    }
}

fn add_fault(step: &str, url: &mut Url) {
    url.query_pairs_mut().append_pair("chaos", step);
}

/// The library's default would also try again after 5xx answers and resets.
struct TimeoutsOnly;

impl RetryableStrategy for TimeoutsOnly {
    fn handle(&self, result: &Result<Response>) -> Option<Retryable> {
        let timeout = result
            .as_ref()
            .is_err_and(|error| TransportError::of(error) == TransportError::Timeout);
        // How many attempts there may be is the policy's question.
        (timeout && should_retry(AttemptResult::Timeout, 1)).then_some(Retryable::Transient)
    }
}

/// At once: the sample of the chapter waits for nothing.
struct RetryImmediately;

impl RetryPolicy for RetryImmediately {
    fn should_retry(&self, _: SystemTime, past_retries: u32) -> RetryDecision {
        if should_retry(AttemptResult::Timeout, past_retries + 1) {
            RetryDecision::Retry { execute_after: SystemTime::now() }
        } else {
            RetryDecision::DoNotRetry
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_answers_an_order_only_if_item_and_quantity_are_those_ordered() {
        let id = "0b54ad6f1c1f4ed9a7f3d5a3b8a4c2e1";
        for (asked, pieces, id, item, quantity, expected) in [
            ("cake", 1, id, "cake", 1, true),
            ("CAKE", 2, id, "cake", 2, true),
            ("ÉCLAIR", 1, id, "éclair", 1, true),
            ("cake", 1, id, "tea", 1, false),
            ("cake", 1, id, "cake", 2, false),
            ("cake", -1, id, "cake", u64::MAX, false),
            ("cake", 0, id, "cake", 0, true),
            ("cake", 1, "", "cake", 1, false),
            ("cake", 1, "reservation 1", "cake", 1, false),
        ] {
            let reserve = Reserve { item_id: asked.to_owned(), quantity: pieces };
            let (reservation_id, item_id) = (id.to_owned(), item.to_owned());
            let reservation = Reservation { reservation_id, item_id, quantity };
            assert_eq!(
                matches_request(&reserve, &reservation),
                expected,
                "{reserve:?} {reservation:?}"
            );
        }
    }
}
