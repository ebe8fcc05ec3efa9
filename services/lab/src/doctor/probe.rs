//! One question over HTTP, and what came of it.

use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderName};
use reqwest::{Client, RequestBuilder, Response};

use super::target::{Kind, Target};

/// How long an answer may take, with everything that is asked.
pub(super) const LIMIT: Duration = Duration::from_secs(2);

/// As much of an answer as is read, in bytes: any `/metrics` of ours, and no end
/// of somebody else's.
const MAX_BODY: usize = 1 << 20;

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// Nothing takes a connection there.
    Nobody,
    /// No answer within the limit.
    Silent,
    /// Something that is no HTTP.
    Garbled,
    Answered(Box<Answer>),
}

/// An answer, whoever gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) media_type: String,
    pub(super) body: String,
    /// What `/metrics` says; asked of our own programs only.
    pub(super) metrics: String,
    pub(super) date: Option<String>,
    pub(super) sent: SystemTime,
    pub(super) received: SystemTime,
}

pub(super) async fn ask(http: &Client, target: &Target) -> Reply {
    tokio::time::timeout(LIMIT, exchange(http, target)).await.unwrap_or(Reply::Silent)
}

async fn exchange(http: &Client, target: &Target) -> Reply {
    let sent = SystemTime::now();
    let response = match question(http, target).send().await {
        Ok(response) => response,
        Err(error) if error.is_timeout() => return Reply::Silent,
        Err(error) if error.is_connect() => return Reply::Nobody,
        Err(_) => return Reply::Garbled,
    };
    let received = SystemTime::now();
    let status = response.status().as_u16();
    let header = |name: HeaderName| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
    let (media_type, date) = (header(CONTENT_TYPE).unwrap_or_default(), header(DATE));
    let body = text(response).await;
    let metrics = if target.kind.is_cafe() {
        match http.get(target.page("/metrics")).send().await {
            Ok(page) => text(page).await,
            Err(_) => String::new(),
        }
    } else {
        String::new()
    };
    Reply::Answered(Box::new(Answer { status, media_type, body, metrics, date, sent, received }))
}

fn question(http: &Client, target: &Target) -> RequestBuilder {
    match target.kind {
        Kind::Collector => http
            .post(target.url.clone())
            .header(CONTENT_TYPE, "application/x-protobuf")
            .body(ExportTraceServiceRequest::default().encode_to_vec()),
        _ => http.get(target.url.clone()),
    }
}

/// The body, or as much of it as came.
async fn text(mut response: Response) -> String {
    let mut body = Vec::new();
    while body.len() < MAX_BODY
        && let Ok(Some(chunk)) = response.chunk().await
    {
        body.extend_from_slice(&chunk);
    }
    String::from_utf8_lossy(&body).into_owned()
}
