//! Where everything is, and what to ask there.

use std::cell::RefCell;
use std::io::Write as _;
use std::time::Duration;

use campuscafe_tests::{Span, root, spans_of, within_deadline};
use reqwest::Client;
use serde_json::Value;
use tokio::process::Command;

/// What the café runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Compose,
    Cluster,
}

/// A running café with everything around it.
#[derive(Debug, Clone)]
pub(crate) struct Stack {
    pub(crate) kind: Kind,
    pub(crate) order: String,
    pub(crate) inventory: String,
    pub(crate) lab: String,
    pub(crate) jaeger: String,
    pub(crate) prometheus: String,
    pub(crate) grafana: String,
    pub(crate) http: Client,
}

/// What a program that ran to its end said.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Stack {
    /// The stack that a script started for these tests.
    pub(crate) fn from_env() -> Self {
        let url = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| {
                panic!("{name} is not set: run this by `make test-stack` or `make test-k8s`")
            })
        };
        Self {
            kind: match url("STACK").as_str() {
                "compose" => Kind::Compose,
                "cluster" => Kind::Cluster,
                other => panic!("STACK={other}: expected compose or cluster"),
            },
            order: url("ORDER_URL"),
            inventory: url("INVENTORY_URL"),
            lab: url("LAB_URL"),
            jaeger: url("JAEGER_URL"),
            prometheus: url("PROMETHEUS_URL"),
            grafana: url("GRAFANA_URL"),
            // The services close connections that were idle for 10 s, and a request that
            // is on its way at that moment has no answer.
            http: Client::builder()
                .no_proxy()
                .pool_idle_timeout(Duration::from_secs(5))
                .build()
                .unwrap(),
        }
    }

    /// The stack, if it is of this kind; otherwise says loudly that the test is
    /// for the other one.
    pub(crate) fn only_on(kind: Kind, test: &str) -> Option<Self> {
        let stack = Self::from_env();
        if stack.kind == kind {
            return Some(stack);
        }
        // Not by a macro: what those print of a test that passes is not shown.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED {test}: only on {kind:?}, and this is {:?}",
            stack.kind
        );
        None
    }

    pub(crate) async fn json(&self, url: &str) -> Value {
        self.try_json(url).await.unwrap_or_else(|| panic!("no JSON at {url}"))
    }

    pub(crate) async fn try_json(&self, url: &str) -> Option<Value> {
        self.http.get(url).send().await.ok()?.error_for_status().ok()?.json().await.ok()
    }

    /// Places an order for one cake; null if there was no answer.
    pub(crate) async fn order(&self, chaos: &str, retry: bool) -> Value {
        self.order_with(chaos, retry, false).await
    }

    pub(crate) async fn order_with(&self, chaos: &str, retry: bool, idempotent: bool) -> Value {
        let order = serde_json::json!({
            "itemId": "cake", "quantity": 1, "chaos": chaos, "retryOnTimeout": retry,
            "idempotent": idempotent,
        });
        let answer = self.http.post(format!("{}/orders", self.order)).json(&order).send().await;
        match answer {
            Ok(answer) => answer.json().await.unwrap_or_default(),
            Err(_) => Value::Null,
        }
    }

    /// Orders a cake with a customer's own key.
    pub(crate) async fn press(&self, key: &str) -> Value {
        let order = serde_json::json!({"itemId": "cake", "quantity": 1});
        let order = self.http.post(format!("{}/orders", self.order)).json(&order);
        order.header("idempotency-key", key).send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn reset(&self) {
        let url = format!("{}/inventory/reset", self.inventory);
        self.http.post(url).send().await.unwrap().error_for_status().unwrap();
    }

    /// How many orders the order service has ended since it started; of one of
    /// its replicas, where there are several.
    pub(crate) async fn order_count(&self) -> f64 {
        self.counted(&self.order, "order_outcomes_total").await
    }

    /// How many reservations the inventory knows of.
    pub(crate) async fn reservations(&self) -> u64 {
        let state = self.http.get(format!("{}/inventory/state", self.inventory)).send().await;
        let state: Value = state.unwrap().json().await.unwrap();
        state["reservations"].as_u64().unwrap()
    }

    async fn counted(&self, service: &str, metric: &str) -> f64 {
        let answer = self.http.get(format!("{service}/metrics")).send().await.unwrap();
        let page = answer.text().await.unwrap();
        let lines = page.lines().filter(|line| line.starts_with(metric));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    /// An instant query: the value of each series, by its labels.
    pub(crate) async fn query(&self, query: &str) -> Vec<(Value, f64)> {
        self.try_query(query).await.unwrap_or_else(|| panic!("no answer to {query}"))
    }

    /// The same, as it was at a time.
    pub(crate) async fn query_at(&self, query: &str, time: f64) -> Vec<(Value, f64)> {
        let at = time.to_string();
        let answer = self.try_asked(&[("query", query), ("time", &at)]).await;
        answer.unwrap_or_else(|| panic!("no answer to {query}"))
    }

    /// The same, where Prometheus may be away.
    pub(crate) async fn try_query(&self, query: &str) -> Option<Vec<(Value, f64)>> {
        self.try_asked(&[("query", query)]).await
    }

    async fn try_asked(&self, asked: &[(&str, &str)]) -> Option<Vec<(Value, f64)>> {
        let url = format!("{}/api/v1/query", self.prometheus);
        let answer = self.http.get(url).query(asked).send().await.ok()?;
        let body: Value = answer.json().await.ok()?;
        assert_eq!(body["status"], "success", "{asked:?}: {body}");
        let result = body["data"]["result"].as_array()?.iter();
        let series = |series: &Value| (series["metric"].clone(), number(&series["value"][1]));
        Some(result.map(series).collect())
    }

    /// The only value of a query; 0 where there is no series at all.
    pub(crate) async fn value(&self, query: &str) -> f64 {
        match self.query(query).await.as_slice() {
            [] => 0.0,
            [(_, value)] => *value,
            more => panic!("{query} has {} values", more.len()),
        }
    }

    /// Every value of a query from one time to another, a second apart.
    pub(crate) async fn range(&self, query: &str, from: f64, to: f64) -> Vec<f64> {
        let series = self.series(query, from, to).await;
        let values = series.iter().flat_map(|series| series["values"].as_array().unwrap());
        values.map(|value| number(&value[1])).collect()
    }

    async fn series(&self, query: &str, from: f64, to: f64) -> Vec<Value> {
        let url = format!("{}/api/v1/query_range", self.prometheus);
        let (from, to) = (from.to_string(), to.to_string());
        let asked = [("query", query), ("start", &from), ("end", &to), ("step", "1s")];
        let answer = self.http.get(url).query(&asked).send().await.unwrap();
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["status"], "success", "{query}: {body}");
        body["data"]["result"].as_array().unwrap().clone()
    }

    /// The last value of each series of a query from one time to another.
    pub(crate) async fn last_of_range(&self, query: &str, from: f64, to: f64) -> Vec<(Value, f64)> {
        let series = self.series(query, from, to).await;
        let last = series.into_iter().filter_map(|series| {
            let value = series["values"].as_array()?.last()?;
            Some((series["metric"].clone(), number(&value[1])))
        });
        last.collect()
    }

    /// A trace as Jaeger has it, if it has it.
    pub(crate) async fn in_jaeger(&self, id: &str) -> Option<Vec<Span>> {
        let trace = self.try_json(&format!("{}/api/v3/traces/{id}", self.jaeger)).await?;
        Some(spans_of(&trace["result"])).filter(|spans| !spans.is_empty())
    }

    /// A trace with this many spans, once Jaeger has them.
    pub(crate) async fn trace(&self, id: &str, spans: usize) -> Vec<Span> {
        let seen = RefCell::new(Vec::new());
        let all = within_deadline(|| async {
            let found = self.in_jaeger(id).await?.into_iter().filter(|span| !is_statement(span));
            let found: Vec<_> = found.collect();
            let names = found.iter().map(|span| format!("{} of {}", span.name, span.service));
            seen.replace(names.collect());
            Some(found).filter(|found| found.len() >= spans)
        });
        match all.await {
            Some(all) => all,
            None => panic!("not {spans} spans of {id} in Jaeger, only {:?}", seen.into_inner()),
        }
    }

    /// Runs `campuscafe` where the lab runs, with the settings that it has there.
    pub(crate) async fn in_lab(&self, arguments: &[&str]) -> Said {
        let mut line = match self.kind {
            Kind::Compose => vec!["docker", "compose", "exec", "-T", "lab"],
            Kind::Cluster => {
                vec!["kubectl", "--namespace", "campuscafe", "exec", "deploy/lab", "--"]
            }
        };
        line.push("campuscafe");
        line.extend(arguments);
        run(&line).await
    }
}

/// Whether a span is a statement to the database.
pub(crate) fn is_statement(span: &Span) -> bool {
    span.text("db.system.name").is_some()
}

/// Prometheus writes numbers as text.
fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

/// Runs a command to its end, at the root of the project.
pub(crate) async fn run(line: &[&str]) -> Said {
    let output = Command::new(line[0])
        .args(&line[1..])
        .current_dir(root())
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", line[0]));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// Runs a command that must succeed, and gives what it printed.
pub(crate) async fn done(line: &[&str]) -> String {
    let said = run(line).await;
    assert_eq!(said.code, Some(0), "{}\n{}{}", line.join(" "), said.out, said.err);
    said.out
}

/// Seconds since 1970, as Prometheus counts.
pub(crate) fn now() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs_f64()
}
