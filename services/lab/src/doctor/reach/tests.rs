//! The checks, from answers as the programs give them.

use std::time::{Duration, SystemTime};

use super::*;

pub(in super::super) const INVENTORY: &str = "# TYPE campuscafe_build_info gauge
campuscafe_build_info{version=\"0.1.0\"} 1
inventory_reservations_total{item=\"cake\",lane=\"naive\"} 0
";
pub(in super::super) const ORDER: &str =
    "order_attempts_total{result=\"ok\",fault=\"none\",lane=\"naive\"} 0
campuscafe_build_info{version=\"0.1.0\"} 1
";
pub(in super::super) const LAB: &str = "campuscafe_build_info{version=\"0.1.0\"} 1\n";

pub(in super::super) fn answer(status: u16, media_type: &str, body: &str, metrics: &str) -> Answer {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    Answer {
        status,
        media_type: media_type.to_owned(),
        body: body.to_owned(),
        metrics: metrics.to_owned(),
        date: Some("Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
        sent: now,
        received: now,
    }
}

fn target(kind: Kind, variable: &'static str, url: &str) -> Target {
    Target { kind, variable, url: url.parse().unwrap() }
}

#[test]
fn a_program_that_does_not_answer_gets_the_command_that_starts_it() {
    let order = target(Kind::Order, "ORDER_URL", "http://localhost:5201/readyz");
    let jaeger = target(Kind::Jaeger, "JAEGER_URL", "http://localhost:16686/api/v3/services");
    let machine = Host::Machine;
    let in_pod = "kubectl --namespace campuscafe get pods";
    for (host, target, start) in [
        (machine(Profile::Lab), &order, "campuscafe"),
        (machine(Profile::Compose), &order, "docker compose up -d"),
        (machine(Profile::Lab), &jaeger, "docker compose up -d"),
        (machine(Profile::Kind), &jaeger, "kubectl apply -k k8s/overlays/kind"),
        (Host::Pod, &order, in_pod),
    ] {
        let (name, origin) = (target.kind.name(), target.origin());
        let fix = format!("{start}, or run without it: unset {}", target.variable);
        for (reply, found) in [
            (NoAnswer::Refused, format!("nothing answers at {origin}")),
            (NoAnswer::Timeout, format!("no answer from {origin} within 2s")),
        ] {
            assert_eq!(judge(host, target, &Err(reply)), [Check::bad(name, found, &fix)]);
        }
    }
}

#[test]
fn a_wrong_program_is_identified_and_gets_the_variable_to_change() {
    let wrong = |target: &Target, answer: Result<Answer, NoAnswer>| {
        let checks = judge(Host::Machine(Profile::Lab), target, &answer);
        (checks[0].found.clone(), checks[0].fix.clone().unwrap_or_default())
    };
    let jaeger = target(Kind::Jaeger, "JAEGER_URL", "http://localhost:5301/api/v3/services");
    let (found, fix) = wrong(&jaeger, Ok(answer(404, "application/json", "{}", "")));
    assert_eq!(found, "something answers at http://localhost:5301, but it is not Jaeger: 404");
    assert_eq!(fix, "set JAEGER_URL to the address of Jaeger, or run without it: unset JAEGER_URL");

    let order = target(Kind::Order, "ORDER_URL", "http://cafe.example:5201/readyz");
    let (found, fix) = wrong(&order, Ok(answer(421, "application/problem+json", "{}", "")));
    assert!(found.contains("http://cafe.example:5201 does not accept this host name"), "{found}");
    assert!(fix.starts_with("add cafe.example to ALLOWED_HOSTS of the order service"), "{fix}");

    let variable = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let grpc = target(Kind::Collector, variable, "http://localhost:4317/v1/traces");
    let (found, fix) = wrong(&grpc, Err(NoAnswer::NotHttp));
    assert!(found.ends_with("not a collector of OTLP over HTTP: no plain HTTP"), "{found}");
    assert_eq!(fix, "export OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318");
}

#[test]
fn only_clocks_that_time_spans_are_checked_and_only_of_the_right_program() {
    let order = target(Kind::Order, "ORDER_URL", "http://localhost:5201/readyz");
    let lab = target(Kind::Lab, "LAB_URL", "http://localhost:5301/readyz");
    let names = |target: &Target, metrics: &str| {
        let answer = Ok(answer(200, "text/plain", "ready\n", metrics));
        let checks = judge(Host::Machine(Profile::Lab), target, &answer);
        checks.into_iter().map(|check| check.name).collect::<Vec<_>>()
    };
    assert_eq!(names(&order, ORDER), ["order", "clock of order"]);
    assert_eq!(names(&lab, LAB), ["lab"]);
    assert_eq!(names(&order, LAB), ["order"]);
}

#[test]
fn a_pod_is_recognised_by_the_variable_that_kubernetes_sets() {
    let set = |name: &str| (name == "KUBERNETES_SERVICE_HOST").then(|| "10.96.0.1".into());
    assert_eq!(Host::of(Profile::Lab, set), Host::Pod);
    assert_eq!(Host::of(Profile::Lab, |_| None), Host::Machine(Profile::Lab));
}
