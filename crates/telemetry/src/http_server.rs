//! What a server tells about the requests it gets: a span and a duration for
//! each, and to the handler whether its caller is still there.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::uri::Authority;
use http::{StatusCode, Version, header};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Instrument as _, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::attribute;
use crate::baggage::Baggage;
use crate::metrics::{Histogram, HistogramFamily, Metric, Metrics, OTHER};
use crate::shortened;
use crate::traces::{SPAN_TARGET, add_event, set_attribute, set_error};

/// How long answers took.
pub const REQUEST_DURATION: Metric = Metric {
    name: "http_server_request_duration_seconds",
    help: "Time from the arrival of a request until its answer, or until the caller left (empty status).",
};

/// The label of requests that match no route: their paths are the caller's
/// choice, and as labels they would grow without bound.
const NO_ROUTE: &str = "";

/// The conventions' word for methods that nobody registered.
const OTHER_METHOD: &str = "_OTHER";

/// Whether the client of a request is still connected; in the request's extensions.
#[derive(Debug, Clone, Default)]
pub struct ClientPresence(Arc<OnceLock<Instant>>);

impl ClientPresence {
    /// Whether the client closed its connection before it was answered.
    #[must_use]
    pub fn has_disconnected(&self) -> bool {
        self.disconnected_for().is_some()
    }

    /// How long ago the client closed its connection before it was answered.
    #[must_use]
    pub fn disconnected_for(&self) -> Option<Duration> {
        self.0.get().map(Instant::elapsed)
    }

    fn set_disconnected(&self) {
        let _ = self.0.set(Instant::now());
    }
}

/// Put into a response's extensions by a handler that sees to it that the
/// response never leaves, so that no status is claimed for it.
#[derive(Debug, Clone, Copy)]
pub struct SuppressedResponse;

/// Put into a response's extensions where the request was refused unread and
/// counted as such: it gets its span, but no duration, or everybody could make
/// series for statuses that no route answers with.
#[derive(Debug, Clone, Copy)]
pub struct CountedElsewhere;

/// Where requests are timed; the state of [`observe`].
#[derive(Debug, Clone)]
pub struct Observe {
    durations: HistogramFamily,
}

impl Observe {
    /// Counts into these metrics.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        let observe = Self { durations: metrics.histogram_family(REQUEST_DURATION) };
        // The paths that people mistype, and forget.
        observe.preregister("GET", NO_ROUTE, &[404]);
        observe.preregister("POST", NO_ROUTE, &[404]);
        observe
    }

    /// Registers a route's durations before its first request, so that the
    /// first one shows as a jump: for these statuses, and for callers who leave
    /// or are cut off (status empty).
    ///
    /// Every other status of this method and route counts as `other`, and every
    /// other method of the route as `_OTHER`: a fault can make any status, and
    /// a caller any method, and each would be a series for ever.
    pub fn preregister(&self, method: &str, route: &str, statuses: &[u16]) {
        for status in ["", OTHER] {
            let _ = self.registered(method, route, status);
        }
        for status in statuses {
            let _ = self.registered(method, route, &status.to_string());
        }
        let _ = self.registered(OTHER_METHOD, route, OTHER);
    }

    fn registered(&self, method: &str, route: &str, status: &str) -> Histogram {
        self.durations.with_labels(&[
            ("http_request_method", method),
            ("http_route", route),
            ("http_response_status_code", status),
        ])
    }

    fn duration(&self, method: &str, route: &str, status: &str) -> Histogram {
        let known = |status| self.durations.get(&[method, route, status]);
        known(status)
            .or_else(|| known(OTHER))
            .unwrap_or_else(|| self.registered(OTHER_METHOD, route, OTHER))
    }
}

/// The middleware, for `axum::middleware::from_fn_with_state`.
///
/// The span lives as long as anything holds it: work that a handler spawned
/// with it runs on after the caller left, and so does the span.
pub async fn observe(State(observe): State<Observe>, mut request: Request, next: Next) -> Response {
    let client = ClientPresence::default();
    request.extensions_mut().insert(client.clone());
    let baggage = Baggage::of(request.headers());
    let mut guard = RequestGuard {
        span: open_span(&request),
        client,
        observe,
        method: known_method(&request),
        route: route(&request).to_owned(),
        arrived: Instant::now(),
        answered: false,
    };
    if let Some(baggage) = baggage {
        baggage.set_attributes(&guard.span);
        request.extensions_mut().insert(baggage);
    }
    let response = next.run(request).instrument(guard.span.clone()).await;
    guard.answered(&response);
    response
}

fn open_span(request: &Request) -> Span {
    let method = known_method(request);
    let route = route(request);
    let name = || if route == NO_ROUTE { method.to_owned() } else { format!("{method} {route}") };
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let (address, port) = text(header::HOST).and_then(address_and_port).unzip();
    let query = request.uri().query().map(shortened);
    let agent = text(header::USER_AGENT).map(shortened);
    let span = info_span!(
        target: SPAN_TARGET,
        "request",
        otel.name = name(),
        otel.kind = "server",
        { attribute::HTTP_REQUEST_METHOD } = method,
        { attribute::HTTP_ROUTE } = (route != NO_ROUTE).then_some(route),
        { attribute::URL_SCHEME } = "http",
        { attribute::URL_PATH } = &*shortened(request.uri().path()),
        { attribute::URL_QUERY } = query.as_deref(),
        { attribute::NETWORK_PROTOCOL_VERSION } = protocol_version(request.version()),
        { attribute::SERVER_ADDRESS } = address.as_deref(),
        { attribute::SERVER_PORT } = port.flatten(),
        { attribute::USER_AGENT_ORIGINAL } = agent.as_deref(),
    );
    if !span.is_disabled() {
        let parent = TraceContextPropagator::new().extract(&HeaderExtractor(request.headers()));
        // Fails only where the span is not recorded, and then there is nothing to link.
        let _ = span.set_parent(parent);
    }
    span
}

/// What a `Host` header names: the address without the brackets of IPv6, and
/// the port if it gives one.
fn address_and_port(host: &str) -> Option<(String, Option<i64>)> {
    let authority: Authority = host.parse().ok()?;
    let address = authority.host().trim_matches(['[', ']']);
    Some((shortened(address).into_owned(), authority.port_u16().map(i64::from)))
}

fn known_method(request: &Request) -> &'static str {
    match request.method().as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "TRACE" => "TRACE",
        "CONNECT" => "CONNECT",
        _ => OTHER_METHOD,
    }
}

fn route(request: &Request) -> &str {
    request.extensions().get::<MatchedPath>().map_or(NO_ROUTE, MatchedPath::as_str)
}

fn protocol_version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        _ => None,
    }
}

/// Counts the request when it is over. The server drops it unanswered when the
/// caller hangs up, and without this guard such requests would vanish.
struct RequestGuard {
    span: Span,
    client: ClientPresence,
    observe: Observe,
    method: &'static str,
    route: String,
    arrived: Instant,
    answered: bool,
}

impl RequestGuard {
    fn answered(&mut self, response: &Response) {
        self.answered = true;
        if response.extensions().get::<SuppressedResponse>().is_some() {
            set_error(&self.span, attribute::CONNECTION_ABORTED);
            self.record("");
            return;
        }
        let status = response.status();
        set_attribute(&self.span, attribute::HTTP_RESPONSE_STATUS_CODE, i64::from(status.as_u16()));
        // A 4xx is the caller's error, so the conventions leave a server span unset.
        if status.is_server_error() {
            set_error(&self.span, status.as_str());
        }
        if response.extensions().get::<CountedElsewhere>().is_none() {
            self.record(StatusCode::as_str(&status));
        }
    }

    fn record(&self, status: &str) {
        self.observe
            .duration(self.method, &self.route, status)
            .record(self.arrived.elapsed().as_secs_f64());
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        if !self.answered {
            self.client.set_disconnected();
            add_event(&self.span, attribute::EVENT_CLIENT_DISCONNECTED);
            self.record("");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_split_into_address_and_port_whatever_its_form() {
        for (host, address, port) in [
            ("inventory:5101", "inventory", Some(5101)),
            ("inventory", "inventory", None),
            ("127.0.0.1:80", "127.0.0.1", Some(80)),
            ("[::1]:5201", "::1", Some(5201)),
            ("[2001:db8::1]", "2001:db8::1", None),
        ] {
            let expected = Some((address.to_owned(), port));
            assert_eq!(address_and_port(host), expected, "{host}");
        }
        for host in ["", "no host", "[::1", "a:b:c", "a/b"] {
            assert_eq!(address_and_port(host), None, "{host}");
        }
    }
}
