//! Whether what a URL is set for is there, and is what it should be.

use std::ffi::OsString;

use reqwest::{Client, Url};
use serde_json::{Map, Value};
use tokio::task::JoinHandle;

use super::Way;
use super::ask::{Answer, LIMIT, Reply, ask};
use super::check::{Check, Verdict};
use super::clock;
use super::target::{Kind, Target};

/// Where this program runs, which decides what starts the other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    /// On a machine, for one way of running CampusCafe.
    Machine(Way),
    /// In a pod, where there is neither Docker nor a café to start.
    Pod,
}

impl Host {
    /// Kubernetes sets this variable in every container.
    pub(super) fn of(way: Way, lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        match lookup("KUBERNETES_SERVICE_HOST") {
            Some(_) => Self::Pod,
            None => Self::Machine(way),
        }
    }
}

/// Asks all at once. What somebody has set a URL for is needed: it will be used.
pub(super) async fn examine(host: Host, targets: Vec<Target>, http: &Client) -> Vec<Check> {
    let asked = targets.into_iter().map(|target| {
        let http = http.clone();
        let reply: JoinHandle<_> = tokio::spawn({
            let target = target.clone();
            async move { ask(&http, &target).await }
        });
        (target, reply)
    });
    let mut checks = Vec::new();
    for (target, reply) in asked.collect::<Vec<_>>() {
        checks.extend(judge(host, &target, &reply.await.unwrap_or(Reply::Silent)));
    }
    checks
}

fn judge(host: Host, target: &Target, reply: &Reply) -> Vec<Check> {
    let name = target.kind.name();
    let mut checks = vec![verdict(host, target, reply).of(name, true)];
    if let Reply::Answered(answer) = reply
        && identify(target.kind, answer) == Seen::Itself
    {
        let clock = clock::verdict(answer.date.as_deref(), answer.sent, answer.received);
        checks.push(clock.of(format!("clock of {name}"), target.kind.times_spans()));
    }
    checks
}

fn verdict(host: Host, target: &Target, reply: &Reply) -> Verdict {
    let (place, noun, variable) = (target.place(), target.kind.noun(), target.variable);
    let other = |what: &str| {
        Verdict::bad(
            format!("something answers at {place}, but it is not {noun}: {what}"),
            elsewhere(target),
        )
    };
    let start = || format!("{}, or do without: unset {variable}", start(host, target.kind));
    match reply {
        Reply::Nobody => Verdict::bad(format!("nothing answers at {place}"), start()),
        Reply::Silent => Verdict::bad(format!("no answer from {place} within {LIMIT:?}"), start()),
        Reply::Garbled => other("no plain HTTP"),
        Reply::Answered(answer) => match identify(target.kind, answer) {
            Seen::Itself => Verdict::ok(format!("answers at {place}")),
            Seen::NotReady => {
                Verdict::bad(format!("is not ready at {place}: {}", answer.status), start())
            }
            Seen::OtherHost => Verdict::bad(
                format!("what answers at {place} does not answer for that host: 421"),
                other_host(target),
            ),
            Seen::Other(what) => other(&what),
        },
    }
}

/// The command that starts it.
fn start(host: Host, kind: Kind) -> String {
    match host {
        Host::Pod => {
            format!(
                "kubectl --namespace campuscafe rollout restart deployment/{}",
                kind.deployment()
            )
        }
        Host::Machine(Way::Kind) => "kubectl apply -k k8s/overlays/kind".to_owned(),
        Host::Machine(Way::Lab) if kind.is_cafe() => "campuscafe".to_owned(),
        Host::Machine(Way::Lab | Way::Compose) => "docker compose up -d".to_owned(),
    }
}

/// Where it rather is: 4317 takes OTLP as gRPC, which we do not speak.
fn elsewhere(target: &Target) -> String {
    let Target { kind, variable, url } = target;
    let mut other: Url = url.clone();
    if *kind == Kind::Collector && url.port() == Some(4317) && other.set_port(Some(4318)).is_ok() {
        return format!("export {variable}={}", other.origin().ascii_serialization());
    }
    format!("set {variable} to where {} is, or do without: unset {variable}", kind.noun())
}

/// A request that names a host which is not allowed gets this far, and no farther.
fn other_host(Target { kind, variable, url }: &Target) -> String {
    let (noun, host) = (kind.noun(), url.host_str().unwrap_or_default());
    format!("add {host} to ALLOWED_HOSTS of {noun}, or set {variable} to an IP address")
}

/// Who has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    Itself,
    /// The right one, at the wrong moment.
    NotReady,
    /// One of ours, which does not answer for the host that the URL names.
    OtherHost,
    Other(String),
}

/// Tells by an answer whether it is from what should be there; a good status
/// alone is no proof, since many a server has a page for every path.
pub(super) fn identify(kind: Kind, answer: &Answer) -> Seen {
    let Answer { status, media_type, body, metrics, .. } = answer;
    let is_it = match kind {
        Kind::Inventory | Kind::Order | Kind::Lab if *status == 421 => return Seen::OtherHost,
        Kind::Inventory | Kind::Order | Kind::Lab => match service(metrics) {
            Some(found) if found != kind => return Seen::Other(format!("it is {}", found.noun())),
            found => found.is_some(),
        },
        Kind::Collector => *status == 200 && !media_type.starts_with("text/html"),
        Kind::Jaeger => *status == 200 && object(body).is_some(),
        Kind::Prometheus => *status == 200 && body.contains("Ready"),
        Kind::Grafana => object(body).is_some_and(|health| health.contains_key("database")),
    };
    match (is_it, status) {
        (true, 200) => Seen::Itself,
        (true, _) => Seen::NotReady,
        (false, _) => Seen::Other(status.to_string()),
    }
}

fn object(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

/// Which of our programs has these metrics; every label set is there from the
/// start, so names are enough.
pub(super) fn service(metrics: &str) -> Option<Kind> {
    let has = |name: &str| metrics.lines().any(|line| line.starts_with(name));
    match () {
        () if !has("campuscafe_build_info{") => None,
        () if has("order_attempts_total{") => Some(Kind::Order),
        () if has("inventory_reservations_total{") => Some(Kind::Inventory),
        () => Some(Kind::Lab),
    }
}

#[cfg(test)]
mod tests;
