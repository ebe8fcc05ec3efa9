//! Where a script makes its calls: each is a request in one trace, and is noted with what
//! it was answered.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use campuscafe_api::IDEMPOTENCY_KEY_HEADER;
use campuscafe_api::order::Lane;
use campuscafe_evidence::calls::SAYS;
use campuscafe_evidence::diagram;
use campuscafe_evidence::span::{Kind, Span, Value as SpanValue};
use campuscafe_service::ExitError;
use campuscafe_telemetry::attribute;
use reqwest::{Method, Response, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use super::Runner;
use crate::http::{at, unreachable};
use crate::lessons::Asked;
use crate::run::in_doubt::now;

/// How long a call of a script may take, unless it says otherwise.
const LIMIT: Duration = Duration::from_secs(10);

/// A request of a script.
pub(super) struct Ask {
    from: diagram::Lane,
    method: Method,
    path: String,
    shown: Option<&'static str>,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
    limit: Duration,
    says: Says,
}

/// Reads what an answer says in a word.
type Says = Box<dyn Fn(&Value) -> Option<String> + Send + Sync>;

impl Ask {
    /// A request of the customer.
    pub(super) fn customer(method: Method, path: impl Into<String>) -> Self {
        Self::of(diagram::Lane::Customer, method, path.into())
    }

    /// A request that the order service would make.
    pub(super) fn order_service(method: Method, path: impl Into<String>) -> Self {
        Self::of(diagram::Lane::Order, method, path.into())
    }

    fn of(from: diagram::Lane, method: Method, path: String) -> Self {
        let (headers, body) = (Vec::new(), None);
        Self { from, method, path, shown: None, headers, body, limit: LIMIT, says: Box::new(word) }
    }

    /// How a person is shown its path: with names in the place of long ids.
    pub(super) fn shown(self, path: &'static str) -> Self {
        Self { shown: Some(path), ..self }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn json(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// After how long it is given up.
    pub(super) fn limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// What its answer says in a word, if not its state or its outcome.
    pub(super) fn says(
        self,
        says: impl Fn(&Value) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self { says: Box::new(says), ..self }
    }
}

impl Ask {
    /// The idempotency key that comes to the inventory because of it, if one does. An order
    /// has one of its own, made of its id, whatever key the customer sent.
    fn key(&self, answer: &Value) -> Option<String> {
        let own = self.headers.iter().find(|(name, _)| *name == IDEMPOTENCY_KEY_HEADER);
        let own = own.map(|(_, key)| key.trim_matches('"'));
        if self.path.starts_with("/inventory") {
            return own.map(str::to_owned);
        }
        let asks = self.body.as_ref().and_then(|body| body.get("idempotent"));
        let keyed = own.is_some() || asks == Some(&Value::Bool(true));
        let id = answer.get("orderId")?.as_str().filter(|_| keyed)?;
        Some(format!("order-{id}"))
    }
}

/// The state or the outcome that an answer names.
fn word(body: &Value) -> Option<String> {
    ["state", "outcome"].iter().find_map(|name| body.get(name)?.as_str()).map(str::to_owned)
}

/// An answer, or that there was none.
pub(super) struct Answer {
    /// The HTTP status; none if no answer came.
    pub(super) status: Option<u16>,
    /// What it said in a word.
    pub(super) says: Option<String>,
    /// Null if it is no JSON.
    pub(super) body: Value,
}

impl Answer {
    /// A member of the body that is text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name)?.as_str()
    }
}

/// Where a script makes its calls.
pub(super) struct Stage<'a> {
    runner: &'a Runner,
    pub(super) lane: Lane,
    /// What is ordered.
    pub(super) item: String,
    trace: u128,
    made: Mutex<Vec<(Span, Asked)>>,
    /// The idempotency keys that the inventory was to see, in the order of their use.
    keys: Mutex<Vec<String>>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(runner: &'a Runner, lane: Lane, item: &str) -> Self {
        // The specification has no trace of the id 0.
        let trace = rand::random::<u128>().max(1);
        let (made, keys) = (Mutex::default(), Mutex::default());
        Self { runner, lane, item: item.to_owned(), trace, made, keys }
    }

    pub(super) fn is_cured(&self) -> bool {
        self.lane == Lane::Cured
    }

    /// The trace of its calls: 32 hexadecimal digits.
    pub(super) fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// Reads something that is no part of the script, without a trace.
    pub(super) async fn look_up<T: DeserializeOwned>(&self, path: &str) -> Result<T, ExitError> {
        let base = self.runner.base(path);
        self.runner.read(base, path).await
    }

    /// Makes a call. Several may be under way at the same time.
    pub(super) async fn call(&self, ask: Ask) -> Result<Answer, ExitError> {
        let id = rand::random::<u64>().max(1);
        let base = self.runner.base(&ask.path);
        let url = at(base, &ask.path)?;
        let mut request = self.runner.http.request(ask.method.clone(), url.clone());
        request = request.header("traceparent", format!("00-{}-{id:016x}-01", self.trace_id()));
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        let (sent, began) = (now(), Instant::now());
        let answer = read(request.timeout(ask.limit).send().await).await;
        let after = began.elapsed();
        let end = match &answer {
            Ok((status, _)) => Ok(*status),
            Err(error) => Err(why(error).ok_or_else(|| unreachable(base, error))?),
        };
        let (_, body) = answer.unwrap_or_default();
        self.note_key(&ask, &body);
        let says = end.ok().and_then(|_| (ask.says)(&body));
        let path = ask.shown.unwrap_or(&ask.path);
        let asked = Asked {
            from: ask.from,
            request: format!("{} {path}", ask.method),
            sent_ms: 0,
            after,
            end,
            says: says.clone(),
        };
        let span = span(id, &ask, url.as_str(), (sent, after), end, says.clone());
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push((span, asked));
        Ok(Answer { status: end.ok(), says, body })
    }

    fn note_key(&self, ask: &Ask, answer: &Value) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = ask.key(answer).filter(|key| !keys.contains(key)) {
            keys.push(key);
        }
    }

    /// The idempotency keys that the inventory was to see.
    pub(super) fn keys(&self) -> Vec<String> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The traces, a span for each call, and what each was answered.
    pub(super) fn end(self) -> (Vec<String>, Vec<Span>, Vec<Asked>) {
        let trace = self.trace_id();
        let mut made = self.made.into_inner().unwrap_or_else(PoisonError::into_inner);
        made.sort_by_key(|(span, _)| span.start);
        let start = made.first().map_or(0, |(span, _)| span.start);
        for (span, asked) in &mut made {
            asked.sent_ms = span.start.saturating_sub(start) / 1_000_000;
        }
        let (spans, asked) = made.into_iter().unzip();
        (vec![trace], spans, asked)
    }
}

impl Runner {
    /// The service that has this path.
    fn base(&self, path: &str) -> &Url {
        if path.starts_with("/inventory") { &self.inventory } else { &self.order }
    }
}

type Read = (u16, Value);

async fn read(answer: Result<Response, reqwest::Error>) -> Result<Read, reqwest::Error> {
    let answer = answer?;
    let status = answer.status().as_u16();
    let body = answer.bytes().await?;
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}

/// Why no answer came, in the words of the order service's own spans.
fn why(error: &reqwest::Error) -> Option<&'static str> {
    if error.is_timeout() {
        return Some("timeout");
    }
    if error.is_connect() {
        return Some(attribute::CONNECTION_REFUSED);
    }
    let cut = error.is_request() || error.is_body() || error.is_decode();
    cut.then_some("connection_lost")
}

/// The span that whoever is played would have made of a call.
fn span(
    id: u64,
    ask: &Ask,
    url: &str,
    (sent, after): (u64, Duration),
    end: Result<u16, &'static str>,
    says: Option<String>,
) -> Span {
    let text = |text: &str| SpanValue::Text(text.to_owned());
    let mut attributes = vec![
        (attribute::HTTP_REQUEST_METHOD, text(ask.method.as_str())),
        (attribute::URL_FULL, text(url)),
    ];
    attributes.push(match end {
        Ok(status) => (attribute::HTTP_RESPONSE_STATUS_CODE, SpanValue::Int(status.into())),
        Err(reason) => (attribute::ERROR_TYPE, text(reason)),
    });
    attributes.extend(says.map(|says| (SAYS, SpanValue::Text(says))));
    let took = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX);
    Span {
        id: format!("{id:016x}"),
        parent: None,
        name: format!("{} {}", ask.method, ask.path),
        kind: Kind::Client,
        service: ask.from.as_str().to_owned(),
        instance: None,
        start: sent,
        end: sent.saturating_add(took),
        error: end.is_err(),
        attributes: attributes.into_iter().map(|(name, it)| (name.to_owned(), it)).collect(),
        events: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
