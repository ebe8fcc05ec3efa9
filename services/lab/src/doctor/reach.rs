//! Whether the program that a URL names answers there, and is the right one.

use std::ffi::OsString;

use reqwest::Client;
use tokio::task::JoinHandle;

use super::Profile;
use super::check::Check;
use super::clock;
use super::probe::{Answer, NoAnswer, TIMEOUT, identify, probe};
use super::target::{Kind, Target};

/// Where this program runs, which decides how the other programs are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    Machine(Profile),
    /// In a pod, where there is neither Docker nor a program to start.
    Pod,
}

impl Host {
    /// Kubernetes sets this variable in every container.
    pub(super) fn of(profile: Profile, lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        match lookup("KUBERNETES_SERVICE_HOST") {
            Some(_) => Self::Pod,
            None => Self::Machine(profile),
        }
    }

    fn start(self, kind: Kind) -> &'static str {
        match self {
            Self::Pod => "kubectl --namespace campuscafe get pods",
            Self::Machine(Profile::Kind) => "kubectl apply -k k8s/overlays/kind",
            Self::Machine(Profile::Lab) if kind.is_ours() => "campuscafe",
            Self::Machine(Profile::Lab | Profile::Compose) => "docker compose up -d",
        }
    }
}

/// Asks all at once.
pub(super) async fn examine(host: Host, targets: Vec<Target>, http: &Client) -> Vec<Check> {
    let asked: Vec<_> = targets
        .into_iter()
        .map(|target| {
            let http = http.clone();
            let answer: JoinHandle<_> = tokio::spawn({
                let target = target.clone();
                async move { probe(&http, &target).await }
            });
            (target, answer)
        })
        .collect();
    let mut checks = Vec::new();
    for (target, answer) in asked {
        checks.extend(judge(host, &target, &answer.await.unwrap_or(Err(NoAnswer::Timeout))));
    }
    checks
}

fn judge(host: Host, target: &Target, answer: &Result<Answer, NoAnswer>) -> Vec<Check> {
    let Target { kind, variable, .. } = target;
    let (name, noun, origin) = (kind.name(), kind.noun(), target.origin());
    let bad = |found: String, fix: String| vec![Check::bad(name, found, fix)];
    let wrong = |what: &str| {
        let found = format!("something answers at {origin}, but it is not {noun}: {what}");
        bad(found, elsewhere(target))
    };
    let start = format!("{}, or run without it: unset {variable}", host.start(*kind));
    match answer {
        Err(NoAnswer::Refused) => bad(format!("nothing answers at {origin}"), start),
        Err(NoAnswer::Timeout) => bad(format!("no answer from {origin} within {TIMEOUT:?}"), start),
        Err(NoAnswer::NotHttp) => wrong("no plain HTTP"),
        Ok(answer) if answer.status == 421 && kind.is_ours() => {
            let host = target.url.host_str().unwrap_or_default();
            bad(
                format!("the program at {origin} does not accept this host name (421)"),
                format!(
                    "add {host} to ALLOWED_HOSTS of {noun}, or set {variable} to an IP address"
                ),
            )
        }
        Ok(answer) => match identify(*kind, answer) {
            Err(what) => wrong(&what),
            Ok(()) => {
                let mut checks = vec![Check::ok(name, format!("answers at {origin}"))];
                // The spans of an experiment get their times from these two.
                if matches!(kind, Kind::Inventory | Kind::Order) {
                    let Answer { date, sent, received, .. } = answer;
                    let name = format!("clock of {name}");
                    checks.push(clock::judge(name, date.as_deref(), *sent, *received));
                }
                checks
            }
        },
    }
}

/// The right URL where we can guess it: 4317 takes OTLP over gRPC, which we do not speak.
fn elsewhere(target: &Target) -> String {
    let Target { kind, variable, url } = target;
    let mut other = url.clone();
    if *kind == Kind::Collector && url.port() == Some(4317) && other.set_port(Some(4318)).is_ok() {
        return format!("export {variable}={}", other.origin().ascii_serialization());
    }
    format!("set {variable} to the address of {}, or run without it: unset {variable}", kind.noun())
}

#[cfg(test)]
pub(super) mod tests;
