//! Where spans are, and waiting for them: for a condition, with a deadline.

use std::sync::Arc;
use std::time::Duration;

use campuscafe_evidence::from_spans::FromSpans;
use campuscafe_evidence::span::{Span, from_otlp};
use campuscafe_telemetry::attribute;
use reqwest::{Client, Url};

use campuscafe_otlp_store::{TraceId, TraceStore, parse_otlp_json};

/// How often another process is asked whether the spans have come.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Among so many of the newest traces a reservation is looked for.
const AMONG: usize = 64;

/// Where the spans of the services can be read.
#[derive(Debug, Clone)]
pub(crate) enum SpanSource {
    /// In this process, which receives them.
    Own(Arc<TraceStore>),
    /// In a running lab.
    Lab(Url),
    /// In a running Jaeger, through its API v3.
    Jaeger(Url),
    /// Nowhere that we know of.
    Nowhere,
}

impl SpanSource {
    /// Whether the span of this reservation has come to this process. What other processes
    /// receive is not looked at.
    pub(crate) fn has_reservation(&self, id: &str) -> bool {
        let Self::Own(store) = self else { return false };
        let is = |span: &Span| span.text(attribute::RESERVATION_ID) == Some(id);
        store.find(AMONG, |data| from_otlp(data).iter().any(is)).is_some()
    }

    /// Waits until what the spans of a trace tell is complete. At the deadline
    /// it is what is known by then, perhaps nothing.
    pub(crate) async fn wait_for<T: FromSpans>(
        &self,
        http: &Client,
        trace: TraceId,
        answer: &T::Answer,
        deadline: Duration,
    ) -> Option<T> {
        let url = match self {
            Self::Nowhere => return None,
            Self::Own(store) => {
                let complete = store.wait_for(trace, deadline, |data| {
                    T::of(&from_otlp(data), answer).filter(T::is_complete)
                });
                return match complete.await {
                    Ok(told) => Some(told),
                    Err(passed) => T::of(&from_otlp(&passed.last?), answer),
                };
            }
            Self::Lab(lab) => lab.join(&format!("/api/traces/{trace}")),
            Self::Jaeger(jaeger) => jaeger.join(&format!("/api/v3/traces/{trace}")),
        };
        let url = url.ok()?;
        let mut latest = None;
        let complete = async {
            let mut again = tokio::time::interval(ASK_EVERY);
            loop {
                again.tick().await;
                if let Some(told) = ask::<T>(http, &url, answer).await {
                    let complete = told.is_complete();
                    latest = Some(told);
                    if complete {
                        return;
                    }
                }
            }
        };
        // At the deadline the latest is the best there is.
        let _ = tokio::time::timeout(deadline, complete).await;
        latest
    }
}

async fn ask<T: FromSpans>(http: &Client, url: &Url, answer: &T::Answer) -> Option<T> {
    let reply = http.get(url.clone()).send().await.ok()?.error_for_status().ok()?;
    let data = parse_otlp_json(&reply.bytes().await.ok()?).ok()?;
    T::of(&from_otlp(&data), answer)
}
