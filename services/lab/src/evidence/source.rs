//! Where spans are, and waiting for them: for a condition, with a deadline.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url};

use super::span::from_otlp;
use super::story::Story;
use crate::traces::{TraceId, TraceStore, parse_otlp_json};

/// How often another process is asked whether the spans have come.
const ASK_EVERY: Duration = Duration::from_millis(100);

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
    /// Waits until an order's story is settled. At the deadline it is what is
    /// known by then, perhaps nothing.
    pub async fn story(&self, http: &Client, trace: TraceId, deadline: Duration) -> Option<Story> {
        let url = match self {
            Self::Nowhere => return None,
            Self::Own(store) => {
                let settled = store.wait_for(trace, deadline, |data| {
                    Story::of(&from_otlp(data)).filter(Story::is_settled)
                });
                return match settled.await {
                    Ok(story) => Some(story),
                    Err(passed) => Story::of(&from_otlp(&passed.last?)),
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
                if let Some(story) = ask(http, &url).await {
                    let settled = story.is_settled();
                    latest = Some(story);
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

async fn ask(http: &Client, url: &Url) -> Option<Story> {
    let answer = http.get(url.clone()).send().await.ok()?.error_for_status().ok()?;
    let data = parse_otlp_json(&answer.bytes().await.ok()?).ok()?;
    Story::of(&from_otlp(&data))
}
