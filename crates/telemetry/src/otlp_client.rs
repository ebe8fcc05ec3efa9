//! The HTTP client that spans and log records leave through.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use reqwest::redirect::Policy;

use crate::counted_export::LastAnswer;

/// Sends exports to the collector and to nobody else, and reads in its answer
/// how much it rejected.
#[derive(Debug)]
pub(crate) struct OtlpClient {
    http: reqwest::blocking::Client,
    last: Arc<LastAnswer>,
}

impl OtlpClient {
    /// Each request gets that much time. What the collector says is put into `last`.
    pub(crate) fn new(timeout: Duration, last: Arc<LastAnswer>) -> Result<Self, String> {
        let build = move || {
            reqwest::blocking::Client::builder()
                .timeout(timeout)
                // Where the collector points, and where the environment's proxy
                // is, nobody has agreed to get telemetry.
                .redirect(Policy::none())
                .no_proxy()
                .build()
        };
        // A thread of its own: a blocking client must not be built in a runtime.
        match thread::scope(|scope| scope.spawn(build).join()) {
            Ok(http) => Ok(Self { http: http.map_err(|error| error.to_string())?, last }),
            Err(_) => Err("the HTTP client cannot be built".to_owned()),
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for OtlpClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let response = self.http.send_bytes(request).await?;
        let status = response.status();
        self.last.not_found.store(status == StatusCode::NOT_FOUND, Ordering::Relaxed);
        if status.is_success() {
            self.last.rejected.store(rejected(response.body()), Ordering::Relaxed);
        }
        Ok(response)
    }
}

/// What a collector's answer says about partial success; an answer that
/// cannot be read says nothing. The answer to log records differs from this one in
/// the names of its fields only, which are not sent.
fn rejected(answer: &[u8]) -> usize {
    let answer = ExportTraceServiceResponse::decode(answer).unwrap_or_default();
    let rejected = answer.partial_success.map_or(0, |partial| partial.rejected_spans);
    usize::try_from(rejected).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;

    use super::*;

    #[test]
    fn an_answer_says_how_many_spans_or_log_records_were_rejected() {
        let answer = |rejected_spans| {
            let partial =
                ExportTracePartialSuccess { rejected_spans, error_message: "no room".to_owned() };
            ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec()
        };
        for (body, rejected) in [
            (answer(7), 7),
            (answer(0), 0),
            (answer(-7), 0),
            (Vec::new(), 0),
            (b"<html>not OTLP</html>".to_vec(), 0),
        ] {
            assert_eq!(super::rejected(&body), rejected, "{body:?}");
        }
    }
}
