//! One HTTP request, its answer, and which program the answer is from.

use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderName};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Map, Value};

use super::target::{Kind, Target};

/// How long an answer may take, with everything that is read.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);

/// How much of an answer is read, in bytes. Our `/metrics` are smaller; a foreign
/// server may send without end.
const MAX_BODY: usize = 1 << 20;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// Nothing accepts a connection.
    Refused,
    Timeout,
    NotHttp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) media_type: String,
    pub(super) body: String,
    /// The page `/metrics`, read from our own programs only.
    pub(super) metrics: String,
    pub(super) date: Option<String>,
    pub(super) sent: SystemTime,
    pub(super) received: SystemTime,
}

pub(super) async fn probe(http: &Client, target: &Target) -> Result<Answer, NoAnswer> {
    tokio::time::timeout(TIMEOUT, exchange(http, target)).await.unwrap_or(Err(NoAnswer::Timeout))
}

async fn exchange(http: &Client, target: &Target) -> Result<Answer, NoAnswer> {
    let sent = SystemTime::now();
    let response = request(http, target).send().await.map_err(|error| match () {
        () if error.is_timeout() => NoAnswer::Timeout,
        () if error.is_connect() => NoAnswer::Refused,
        () => NoAnswer::NotHttp,
    })?;
    let received = SystemTime::now();
    let status = response.status().as_u16();
    let header = |name: HeaderName| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
    let (media_type, date) = (header(CONTENT_TYPE).unwrap_or_default(), header(DATE));
    let body = text(response).await;
    let mut metrics = String::new();
    if target.kind.is_ours()
        && let Ok(page) = http.get(target.page("/metrics")).send().await
    {
        metrics = text(page).await;
    }
    Ok(Answer { status, media_type, body, metrics, date, sent, received })
}

fn request(http: &Client, target: &Target) -> RequestBuilder {
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

/// Whether the answer is from a program of this kind, and what it is from if not.
/// The status alone proves nothing: many servers have a page for every path.
pub(super) fn identify(kind: Kind, answer: &Answer) -> Result<(), String> {
    let Answer { status, media_type, body, metrics, .. } = answer;
    let object = || serde_json::from_str::<Map<String, Value>>(body).ok();
    let is_it = match kind {
        Kind::Inventory | Kind::Order | Kind::Lab => match our_program(metrics) {
            Some(found) if found != kind => return Err(format!("it is {}", found.noun())),
            found => found.is_some(),
        },
        Kind::Collector => !media_type.starts_with("text/html"),
        Kind::Jaeger => object().is_some(),
        Kind::Prometheus => body.contains("Ready"),
        Kind::Grafana => object().is_some_and(|health| health.contains_key("database")),
    };
    if is_it && *status == 200 { Ok(()) } else { Err(status.to_string()) }
}

/// Which of our programs has these metrics. Every label set is there from the
/// start, so the names are enough.
pub(super) fn our_program(metrics: &str) -> Option<Kind> {
    let has = |name: &str| metrics.lines().any(|line| line.starts_with(name));
    match () {
        () if !has("campuscafe_build_info{") => None,
        () if has("order_attempts_total{") => Some(Kind::Order),
        () if has("inventory_reservations_total{") => Some(Kind::Inventory),
        () => Some(Kind::Lab),
    }
}

#[cfg(test)]
mod tests {
    use super::super::reach::tests::{INVENTORY, LAB, ORDER, answer};
    use super::*;

    #[test]
    fn our_programs_are_identified_by_their_metrics() {
        for (metrics, expected) in [
            (INVENTORY, Some(Kind::Inventory)),
            (ORDER, Some(Kind::Order)),
            (LAB, Some(Kind::Lab)),
            ("order_attempts_total{result=\"ok\",fault=\"none\",lane=\"naive\"} 0", None),
            ("# HELP campuscafe_build_info{", None),
            ("<html>", None),
        ] {
            assert_eq!(our_program(metrics), expected, "{metrics}");
        }
    }

    #[test]
    fn each_kind_is_identified_by_what_only_it_answers() {
        let (json, html, text) = ("application/json", "text/html; charset=utf-8", "text/plain");
        for (kind, answer, expected) in [
            (Kind::Order, answer(200, text, "ready\n", ORDER), Ok(())),
            (Kind::Order, answer(503, json, "{}", ORDER), Err("503")),
            (Kind::Order, answer(200, text, "ready\n", INVENTORY), Err("it is the inventory")),
            (Kind::Inventory, answer(200, text, "ready\n", LAB), Err("it is the lab")),
            (Kind::Lab, answer(200, text, "ready\n", ""), Err("200")),
            (Kind::Collector, answer(200, "application/x-protobuf", "", ""), Ok(())),
            (Kind::Collector, answer(200, html, "<html>", ""), Err("200")),
            (Kind::Collector, answer(405, text, "", ""), Err("405")),
            (Kind::Jaeger, answer(200, json, "{\"services\":[]}", ""), Ok(())),
            (Kind::Jaeger, answer(200, html, "<html>", ""), Err("200")),
            (Kind::Jaeger, answer(404, json, "{\"status\":404}", ""), Err("404")),
            (Kind::Prometheus, answer(200, text, "Prometheus Server is Ready.\n", ""), Ok(())),
            (Kind::Prometheus, answer(200, html, "<html>", ""), Err("200")),
            (Kind::Grafana, answer(200, json, "{\"database\":\"ok\"}", ""), Ok(())),
            (Kind::Grafana, answer(503, json, "{\"database\":\"failing\"}", ""), Err("503")),
            (Kind::Grafana, answer(200, json, "{\"ok\":true}", ""), Err("200")),
        ] {
            let expected = expected.map_err(str::to_owned);
            assert_eq!(identify(kind, &answer), expected, "{kind:?} {answer:?}");
        }
    }
}
