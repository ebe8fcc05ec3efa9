//! Refuses requests for hosts that are not ours and from pages that are not
//! ours, before anything else is done for them; and tells browsers how careful to be with
//! every answer.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use campuscafe_api::Problem;
use campuscafe_telemetry::http_server::CountedElsewhere;
use campuscafe_telemetry::{Counter, Metric, Metrics};
use http::{HeaderMap, header};

use crate::ProblemResponse;
use crate::host::{self, AllowedHosts, InvalidHost};
use crate::origin::{CrossOrigin, FetchMetadata, cross_origin};
use crate::security_headers::secure;

const REFUSED: Metric = Metric {
    name: "http_server_refused_requests_total",
    help: "Requests that were refused before they were read: their host is not allowed, or a page of another origin sent them.",
};

/// What the guard may answer to any request, and what that means.
pub(crate) const REFUSALS: [(&str, &str); 3] = [
    (
        "400",
        "The request has no Host header, several, or one that is neither a name nor an address",
    ),
    ("403", "A page of another origin sent the request"),
    ("421", "The host is neither an IP address nor one of the allowed hosts"),
];

/// As much of a header as a problem repeats, in characters.
const MAX_QUOTED: usize = 256;

/// What [`guard`] goes by, and where it counts.
#[derive(Clone)]
pub(crate) struct Guard {
    allowed: AllowedHosts,
    host: Counter,
    cross_origin: Counter,
}

impl Guard {
    pub(crate) fn new(allowed: &AllowedHosts, metrics: &Metrics) -> Self {
        let counter = |reason| metrics.counter(REFUSED, &[("reason", reason)]);
        Self {
            allowed: allowed.clone(),
            host: counter("host"),
            cross_origin: counter("cross_origin"),
        }
    }

    /// The refusal of a request, if it must be refused.
    fn refusal(&self, request: &Request) -> Option<ProblemResponse> {
        let headers = request.headers();
        let hosts = headers.get_all(header::HOST).iter().map(http::HeaderValue::as_bytes);
        let host = match host::of_request(request.version(), request.uri().authority(), hosts) {
            Ok(host) => host,
            Err(invalid) => {
                self.host.increment(1);
                return Some(malformed_host(invalid));
            }
        };
        if let Some(host) = &host
            && !self.allowed.allows(&host.name)
        {
            self.host.increment(1);
            return Some(misdirected(&host.name.to_string()));
        }
        let from = FetchMetadata {
            site: single_text(headers, "sec-fetch-site"),
            mode: single_text(headers, "sec-fetch-mode"),
            destination: single_text(headers, "sec-fetch-dest"),
            origin: single_text(headers, "origin"),
        };
        let cross = cross_origin(request.method(), host.as_ref(), from)?;
        self.cross_origin.increment(1);
        Some(cross_origin_problem(cross))
    }
}

/// The middleware, for `axum::middleware::from_fn_with_state`.
pub(crate) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let response = match guard.refusal(&request) {
        None => next.run(request).await,
        Some(refusal) => {
            let mut response = refusal.into_response();
            response.extensions_mut().insert(CountedElsewhere);
            response
        }
    };
    // Here and not in a layer of its own, which would cost an order a hundredth.
    secure(response)
}

/// The text of a header; the empty text if it is no text or came twice.
fn single_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let text = values.next()?.to_str().unwrap_or_default();
    Some(if values.next().is_some() { "" } else { text })
}

fn malformed_host(invalid: InvalidHost) -> ProblemResponse {
    let found = match invalid {
        InvalidHost::Missing => "there is none",
        InvalidHost::Repeated => "there are several",
        InvalidHost::Malformed => "this one is neither a name nor an address with at most a port",
    };
    Problem::new(400, "malformed-host", "Malformed Host")
        .detail(format!("expected one header Host: NAME or NAME:PORT; {found}"))
        .into()
}

fn misdirected(host: &str) -> ProblemResponse {
    Problem::new(421, "misdirected-request", "Misdirected request")
        .detail(format!(
            "this program does not accept the host {host:?}; expected an IP address, \
             localhost, or a name in its setting --allowed-hosts / ALLOWED_HOSTS"
        ))
        .into()
}

fn cross_origin_problem(cross: CrossOrigin) -> ProblemResponse {
    let (header, value) = match cross {
        CrossOrigin::Site(value) => ("Sec-Fetch-Site", value),
        CrossOrigin::Origin(value) => ("Origin", value),
    };
    let value: String = value.chars().take(MAX_QUOTED).collect();
    Problem::new(403, "cross-origin", "Cross-origin request")
        .detail(format!(
            "a page of another origin sent this request ({header}: {value}); expected a page of \
             this program, or a program that is not a browser"
        ))
        .into()
}
