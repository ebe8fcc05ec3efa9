//! The retry of the cured lane: after a growing, random wait, within the order's deadline,
//! and only as often as the budget of the service allows.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use campuscafe_cures::budget::RetryBudget;
use campuscafe_cures::retry::{Next as Follows, Refusal, RetryPolicy};
use campuscafe_service::seconds;
use campuscafe_telemetry::{attribute, set_attribute};
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, Result};
use tokio::time::{Instant, sleep};
use tracing::Span;

use crate::attempts::AttemptContext;
use crate::config::{Config, CuredRetries};
use crate::metrics::OrderMetrics;
use crate::outcome::is_retried;

/// Lets an order make its attempts one after the other.
#[derive(Debug)]
pub(crate) struct CuredRetry {
    policy: RetryPolicy,
    /// Shared by all orders. The lock is held for a few instructions.
    budget: Mutex<RetryBudget>,
    metrics: Arc<OrderMetrics>,
}

impl CuredRetry {
    pub(crate) fn new(config: &Config, metrics: Arc<OrderMetrics>) -> Self {
        let CuredRetries { attempts, backoff, reserve } = config.cured_retries;
        let policy = RetryPolicy { attempts, backoff, deadline: config.order_deadline };
        let budget = Mutex::new(RetryBudget::new(config.retry_budget, reserve));
        Self { policy, budget, metrics }
    }

    fn with_budget<T>(&self, use_it: impl FnOnce(&mut RetryBudget) -> T) -> T {
        use_it(&mut self.budget.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How long to wait before the next attempt, if there is one.
    fn wait(&self, context: &AttemptContext, elapsed: Duration) -> Option<Duration> {
        let attempts = context.attempts();
        let last = attempts.last().map(|attempt| attempt.result);
        if !context.retry || !last.is_some_and(is_retried) {
            return None;
        }
        let made = u32::try_from(attempts.len()).unwrap_or(u32::MAX);
        let spend = || self.with_budget(RetryBudget::spend);
        match self.policy.next(made, elapsed, rand::random(), spend) {
            Follows::RetryAfter(wait) => Some(wait),
            Follows::Exhausted => None,
            Follows::Refused(why) => {
                self.refuse(context, made, why);
                None
            }
        }
    }

    fn refuse(&self, context: &AttemptContext, made: u32, why: Refusal) {
        self.metrics.retry_refused(why);
        set_attribute(&Span::current(), attribute::ORDER_RETRY_REFUSED, why.as_str());
        let reason = match why {
            Refusal::Deadline => {
                format!("the order's deadline of {} comes first", seconds(self.policy.deadline))
            }
            Refusal::Budget => "the retry budget is used up".to_owned(),
        };
        tracing::info!(
            request_id = context.request_id,
            attempts = made,
            reason = why.as_str(),
            "Does not retry: {reason}"
        );
    }
}

#[async_trait::async_trait]
impl Middleware for CuredRetry {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let Some(context) = extensions.get::<Arc<AttemptContext>>().cloned() else {
            return next.run(request, extensions).await;
        };
        self.with_budget(RetryBudget::earn);
        let timeout = request.timeout().copied().unwrap_or(Duration::MAX);
        let begun = Instant::now();
        loop {
            let again = context.retry.then(|| request.try_clone()).flatten();
            let answer = next.clone().run(request, extensions).await;
            let (Some(again), Some(wait)) = (again, self.wait(&context, begun.elapsed())) else {
                return answer;
            };
            sleep(wait).await;
            request = again;
            // The first attempt may take all of its time, also where that is longer.
            *request.timeout_mut() = Some(self.policy.timeout(timeout, begun.elapsed()));
        }
    }
}
