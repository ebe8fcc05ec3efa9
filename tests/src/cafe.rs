//! The whole lab, started as a user starts it, on free ports.

use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::process::Process;
use crate::spans::{Span, spans_of};
use crate::wait::eventually;

/// A running `campuscafe up`.
#[derive(Debug)]
pub struct Cafe {
    /// The process that started the others.
    pub process: Process,
    /// Where the order service is.
    pub order: String,
    /// Where the inventory is.
    pub inventory: String,
    /// Where the lab is.
    pub lab: String,
    /// For requests of a test's own.
    pub http: Client,
}

const FREE_PORTS: [(&str, &str); 3] = [
    ("INVENTORY_LISTEN", "127.0.0.1:0"),
    ("ORDER_LISTEN", "127.0.0.1:0"),
    ("LAB_LISTEN", "127.0.0.1:0"),
];

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null if it is no JSON.
    pub body: Value,
}

impl Answer {
    /// The body's member as text.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }

    /// What became of each attempt.
    #[must_use]
    pub fn results(&self) -> Vec<&str> {
        let attempts = self.body["attempts"].as_array().map_or(&[][..], Vec::as_slice);
        attempts.iter().filter_map(|attempt| attempt["result"].as_str()).collect()
    }
}

impl Cafe {
    /// Opens a café with the usual settings.
    pub async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// Opens a café with some settings in its environment.
    ///
    /// # Panics
    ///
    /// When it does not open.
    pub async fn open_with(settings: &[(&str, &str)]) -> Self {
        let environment = [&FREE_PORTS[..], settings].concat();
        Self::opened(Process::start("campuscafe", &[], &environment)).await
    }

    /// Opens a café as somebody in a terminal does, where Ctrl-C reaches its
    /// whole process group.
    ///
    /// # Panics
    ///
    /// When it does not open.
    pub async fn open_in_terminal() -> Self {
        Self::opened(Process::start_in_group("campuscafe", &[], &FREE_PORTS)).await
    }

    /// Opens a café whose log nobody reads.
    ///
    /// # Panics
    ///
    /// When it does not open.
    pub async fn open_with_unread_stderr() -> Self {
        Self::opened(Process::start_with_unread_stderr("campuscafe", &[], &FREE_PORTS)).await
    }

    async fn opened(mut process: Process) -> Self {
        let mut address = async |name: &str| {
            let found = |line: &str| {
                let mut words = line.split_whitespace();
                (words.next() == Some(name)).then(|| words.next().map(str::to_owned))?
            };
            process.said(name, found).await
        };
        let (order, inventory, lab) =
            (address("order").await, address("inventory").await, address("lab").await);
        let http = Client::builder().no_proxy().build().expect("a client");
        Self { process, order, inventory, lab, http }
    }

    /// Sends a request of a test's own and reads the answer.
    ///
    /// # Panics
    ///
    /// When there is no answer.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.expect("a whole answer");
        Answer { status, headers, body: serde_json::from_slice(&body).unwrap_or_default() }
    }

    /// Orders one cake.
    pub async fn order_cake(&self, chaos: &str, retry: bool) -> Answer {
        let order = json!({
            "itemId": "cake", "quantity": 1, "chaos": chaos, "retryOnTimeout": retry,
        });
        self.send(self.http.post(format!("{}/orders", self.order)).json(&order)).await
    }

    /// Reserves one cake, directly at the inventory.
    pub fn reserve_cake(&self, chaos: &str, request_id: &str) -> RequestBuilder {
        self.http
            .post(format!("{}/inventory/reserve", self.inventory))
            .query(&[("chaos", chaos)])
            .header("x-request-id", request_id)
            .json(&json!({ "itemId": "cake", "quantity": 1 }))
    }

    /// The inventory's state.
    pub async fn state(&self) -> Value {
        self.send(self.http.get(format!("{}/inventory/state", self.inventory))).await.body
    }

    /// Waits until the inventory has made this many reservations.
    pub async fn reservations(&self, count: u64) -> Value {
        eventually(&format!("{count} reservations"), || async {
            let state = self.state().await;
            (state["reservations"] == count).then_some(state)
        })
        .await
    }

    /// Waits until an answer is held, and returns the oldest hold.
    pub async fn hold(&self) -> Value {
        let holds = format!("{}/inventory/holds", self.inventory);
        eventually("a held answer", || async {
            let list = self.send(self.http.get(&holds)).await.body;
            list["holds"].get(0).cloned()
        })
        .await
    }

    /// A page as text.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub async fn page(&self, url: &str) -> String {
        self.http.get(url).send().await.expect("an answer").text().await.expect("text")
    }

    /// The value of a series on a service's `/metrics`, spelled as it stands there.
    ///
    /// # Panics
    ///
    /// When there is no such series.
    pub async fn metric(&self, service: &str, series: &str) -> f64 {
        let page = self.page(&format!("{service}/metrics")).await;
        let value = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value
            .and_then(|value| value.parse().ok())
            .unwrap_or_else(|| panic!("no {series} in\n{page}"))
    }

    /// Sends log records as the services do, each of a span at its end. OTLP's JSON.
    ///
    /// # Panics
    ///
    /// When the lab does not take them.
    pub async fn write_logs(&self, trace: &str, lines: &[(&Span, &str)]) {
        let resource = |(span, message): &(&Span, &str)| {
            let record = json!({
                "timeUnixNano": span.end.to_string(), "severityNumber": 9, "severityText": "INFO",
                "traceId": trace, "spanId": span.id, "body": {"stringValue": message},
                "attributes": [{"key": "written.by", "value": {"stringValue": "a test"}}],
            });
            let service = json!({"key": "service.name", "value": {"stringValue": span.service}});
            json!({
                "resource": {"attributes": [service]}, "scopeLogs": [{"logRecords": [record]}],
            })
        };
        let resources: Vec<_> = lines.iter().map(resource).collect();
        let export = json!({"resourceLogs": resources});
        let post = self.http.post(format!("{}/v1/logs", self.lab)).json(&export);
        let answer = self.send(post).await;
        assert_eq!((answer.status, &answer.body), (200, &json!({})));
    }

    /// Waits until a trace has as many spans as expected, and gives them.
    pub async fn trace(&self, id: &str, spans: usize) -> Vec<Span> {
        let url = format!("{}/api/traces/{id}", self.lab);
        eventually(&format!("{spans} spans of trace {id}"), || async {
            let answer = self.send(self.http.get(&url)).await;
            let found = if answer.status == 200 { spans_of(&answer.body) } else { Vec::new() };
            (found.len() >= spans).then_some(found)
        })
        .await
    }
}
