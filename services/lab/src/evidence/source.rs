//! Where spans are, and waiting for them: for a condition, with a deadline.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url};

use super::span::{Span, from_otlp};
use crate::traces::{TraceId, TraceStore, parse_otlp_json};

/// How often another process is asked whether the spans have come.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// What a trace tells, once its spans have come.
pub trait Tale: Sized {
    /// What these spans tell, or `None` while there is nothing to tell.
    fn of(spans: &[Span]) -> Option<Self>;

    /// Whether every span that is still expected has come. A span is sent when
    /// it ends, so until then somebody may still be at work.
    fn is_settled(&self) -> bool;
}

/// Where the spans of the services can be read.
#[derive(Debug, Clone)]
pub enum Source {
    /// In this process, which receives them.
    Own(Arc<TraceStore>),
    /// In a running lab.
    Lab(Url),
    /// In a running Jaeger, through its API v3.
    Jaeger(Url),
    /// Nowhere that we know of.
    Nowhere,
}

impl Source {
    /// Waits until what the spans of a trace tell is settled. At the deadline it
    /// is what is known by then, perhaps nothing.
    pub async fn tell<T: Tale>(
        &self,
        http: &Client,
        trace: TraceId,
        deadline: Duration,
    ) -> Option<T> {
        let url = match self {
            Self::Nowhere => return None,
            Self::Own(store) => {
                let settled = store.wait_for(trace, deadline, |data| {
                    T::of(&from_otlp(data)).filter(T::is_settled)
                });
                return match settled.await {
                    Ok(told) => Some(told),
                    Err(passed) => T::of(&from_otlp(&passed.last?)),
                };
            }
            Self::Lab(lab) => lab.join(&format!("/api/traces/{trace}")),
            Self::Jaeger(jaeger) => jaeger.join(&format!("/api/v3/traces/{trace}")),
        };
        let url = url.ok()?;
        let mut latest = None;
        let settle = async {
            let mut again = tokio::time::interval(ASK_EVERY);
            loop {
                again.tick().await;
                if let Some(told) = ask::<T>(http, &url).await {
                    let settled = told.is_settled();
                    latest = Some(told);
                    if settled {
                        return;
                    }
                }
            }
        };
        // At the deadline the latest is the best there is.
        let _ = tokio::time::timeout(deadline, settle).await;
        latest
    }
}

async fn ask<T: Tale>(http: &Client, url: &Url) -> Option<T> {
    let answer = http.get(url.clone()).send().await.ok()?.error_for_status().ok()?;
    let data = parse_otlp_json(&answer.bytes().await.ok()?).ok()?;
    T::of(&from_otlp(&data))
}
