//! What a client tells about the requests it sends: a span and a duration for
//! each attempt, from sending to the last byte of the answer.

use tokio::time::Instant;

use bytes::Bytes;
use http::{Extensions, HeaderValue};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry_http::HeaderInjector;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use reqwest::{Request, Response, ResponseBuilderExt as _};
use reqwest_middleware::{Error, Middleware, Next, Result};
use tracing::{Instrument as _, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::attribute;
use crate::baggage::{self, Baggage};
use crate::metrics::{Histogram, HistogramFamily, Metric, Metrics, OTHER};
use crate::shortened;
use crate::traces::{SPAN_TARGET, set_attribute, set_error};

/// How long attempts took.
pub const REQUEST_DURATION: Metric = Metric {
    name: "http_client_request_duration_seconds",
    help: "Time from sending an attempt until its complete answer, or until it failed (error_type).",
};

/// The largest answer that is read, in bytes: many are read at one time.
const MAX_ANSWER: usize = 64 * 1024;

/// The labels of a duration.
const LABELS: [&str; 5] =
    ["http_request_method", "url_template", "lane", "http_response_status_code", "error_type"];

/// The header of W3C Trace Context for what vendors add.
const TRACESTATE: &str = "tracestate";

/// The path with its variable parts as names, for span names and labels: put
/// it into the request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Template(pub &'static str);

/// Which of several calls to one path this is, from 0: the name of its span then ends
/// with `#` and the number. Put it into the request's extensions. Each number makes a
/// name of its own, so there must be few.
#[derive(Debug, Clone, Copy)]
pub struct SpanNumber(pub u32);

/// The lane of the order that the request is for: an attribute of its span, and a label of
/// its duration. Put it into the request's extensions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lane(pub &'static str);

/// The whole body of an answer; in the response's extensions, for middleware
/// that must look at it without taking it.
#[derive(Debug, Clone)]
pub struct WholeBody(pub Bytes);

/// How often this request was sent before; counted by [`Observe`].
#[derive(Debug, Clone, Copy, Default)]
struct Resends(i64);

/// Why an attempt has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportError {
    /// No whole answer within the limit.
    Timeout,
    /// Sent, then the connection was reset or closed.
    ConnectionLost,
    /// Never sent: no connection could be made.
    ConnectionRefused,
}

impl TransportError {
    /// Every reason there is, for series that must exist from the start.
    pub const ALL: [Self; 3] = [Self::Timeout, Self::ConnectionLost, Self::ConnectionRefused];

    /// The value of `error.type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::ConnectionLost => "connection_lost",
            Self::ConnectionRefused => attribute::CONNECTION_REFUSED,
        }
    }

    /// What an error below any retry middleware comes to. A timeout counts as
    /// one even while connecting: from outside nobody can tell how far it came.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        match error {
            Error::Reqwest(error) if error.is_timeout() => Self::Timeout,
            Error::Reqwest(error) if error.is_connect() => Self::ConnectionRefused,
            Error::Reqwest(_) | Error::Middleware(_) => Self::ConnectionLost,
        }
    }
}

/// The middleware. Stack it below a retry middleware, and each attempt gets
/// its own span.
///
/// It reads the answer whole before it hands it on: a limit that strikes
/// between header and last byte must fail the attempt, and be retried, like
/// any other.
#[derive(Debug, Clone)]
pub struct Observe {
    durations: HistogramFamily,
}

impl Observe {
    /// Counts into these metrics.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        Self { durations: metrics.histogram_family(REQUEST_DURATION) }
    }

    /// Registers a call's durations before it is first made, so that the first one shows as
    /// a jump. The lane is empty for a call that is for no order. Every other status of this
    /// call counts as `other`: the server can answer with any status, and each would be a
    /// series for ever.
    pub fn preregister(&self, method: &str, template: &str, lane: &str, statuses: &[u16]) {
        let register = |status: &str, error: &str| {
            let _ = self.registered([method, template, lane, status, error]);
        };
        for status in statuses {
            let text = status.to_string();
            register(&text, if *status < 400 { "" } else { &text });
        }
        for error in ["", OTHER] {
            register(OTHER, error);
        }
        for reason in TransportError::ALL {
            register("", reason.as_str());
        }
    }

    /// The values are those of [`LABELS`].
    fn registered(&self, values: [&str; LABELS.len()]) -> Histogram {
        let labels = std::array::from_fn::<_, { LABELS.len() }, _>(|at| (LABELS[at], values[at]));
        self.durations.with_labels(&labels)
    }

    fn duration(&self, values: [&str; LABELS.len()]) -> Histogram {
        self.durations.get(&values).unwrap_or_else(|| {
            self.registered(values.map(|value| if is_status(value) { OTHER } else { value }))
        })
    }
}

fn is_status(label: &str) -> bool {
    label.starts_with(|first: char| first.is_ascii_digit())
}

#[async_trait::async_trait]
impl Middleware for Observe {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let Resends(resends) = extensions.get().copied().unwrap_or_default();
        extensions.insert(Resends(resends + 1));
        let template = extensions.get::<Template>().map_or("", |template| template.0);
        let method = request.method().to_string();
        let number = extensions.get().copied();
        let Lane(lane) = extensions.get().copied().unwrap_or_default();
        let span = open_span(&request, &method, template, number, resends);
        if !lane.is_empty() {
            set_attribute(&span, attribute::ORDER_LANE, lane);
        }
        let mut carrier = HeaderInjector(request.headers_mut());
        TraceContextPropagator::new().inject_context(&span.context(), &mut carrier);
        // The propagator writes it in any case; W3C Trace Context says not to send it empty.
        if request.headers().get(TRACESTATE).is_some_and(HeaderValue::is_empty) {
            request.headers_mut().remove(TRACESTATE);
        }
        if let Some(header) = extensions.get().and_then(Baggage::header) {
            request.headers_mut().insert(baggage::HEADER, header);
        }

        let sent = Instant::now();
        let result = match next.run(request, extensions).instrument(span.clone()).await {
            // Boxed, so that an attempt that waits for its answer has no room for it yet.
            Ok(response) => Box::pin(read_whole(response)).instrument(span.clone()).await,
            Err(error) => Err(error),
        };
        let (status, error) = match &result {
            Ok(response) => {
                let status = response.status();
                set_attribute(
                    &span,
                    attribute::HTTP_RESPONSE_STATUS_CODE,
                    i64::from(status.as_u16()),
                );
                let refused = status.is_client_error() || status.is_server_error();
                (status.as_str().to_owned(), if refused { status.as_str() } else { "" }.to_owned())
            }
            Err(error) => (String::new(), TransportError::of(error).as_str().to_owned()),
        };
        if !error.is_empty() {
            set_error(&span, error.clone());
        }
        let duration = self.duration([&method, template, lane, &status, &error]);
        duration.record(sent.elapsed().as_secs_f64());
        result
    }
}

fn open_span(
    request: &Request,
    method: &str,
    template: &str,
    number: Option<SpanNumber>,
    resends: i64,
) -> Span {
    let url = request.url();
    let name = || span_name(method, template, number, resends);
    info_span!(
        target: SPAN_TARGET,
        "attempt",
        otel.name = name(),
        otel.kind = "client",
        { attribute::HTTP_REQUEST_METHOD } = method,
        { attribute::HTTP_REQUEST_RESEND_COUNT } = (resends > 0).then_some(resends),
        { attribute::URL_FULL } = &*shortened(url.as_str()),
        { attribute::SERVER_ADDRESS } = url.host_str().map(|host| host.trim_matches(['[', ']'])),
        { attribute::SERVER_PORT } = url.port_or_known_default().map(i64::from),
    )
}

/// The semantic conventions name a span by method and template. What follows them tells
/// equal calls apart in a list of spans; it comes from a small set, as they demand.
fn span_name(method: &str, template: &str, number: Option<SpanNumber>, resends: i64) -> String {
    let mut name = method.to_owned();
    if !template.is_empty() {
        name = format!("{name} {template}");
    }
    if let Some(SpanNumber(number)) = number {
        name = format!("{name} #{number}");
    }
    if resends > 0 {
        name.push_str(" (retry)");
    }
    name
}

/// The same response with its body in memory.
async fn read_whole(mut response: Response) -> Result<Response> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Error::middleware(AnswerTooLarge));
        }
        body.extend_from_slice(&chunk);
    }
    let mut whole = http::Response::builder()
        .status(response.status())
        .version(response.version())
        .url(response.url().clone());
    if let Some(headers) = whole.headers_mut() {
        *headers = std::mem::take(response.headers_mut());
        headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    let body = Bytes::from(body);
    let whole = whole.extension(WholeBody(body.clone()));
    Ok(whole.body(body).map_err(Error::middleware)?.into())
}

#[derive(Debug, thiserror::Error)]
#[error("the answer is larger than {MAX_ANSWER} bytes")]
struct AnswerTooLarge;
