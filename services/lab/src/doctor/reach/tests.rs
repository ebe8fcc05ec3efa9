//! The verdicts, from answers as the programs give them.

use std::time::{Duration, SystemTime};

use super::super::check::Status;
use super::*;

const INVENTORY: &str = "# TYPE campuscafe_build_info gauge
campuscafe_build_info{version=\"0.1.0\"} 1
inventory_reservations_total{item=\"cake\"} 0
";
const ORDER: &str = "order_attempts_total{result=\"ok\"} 0
campuscafe_build_info{version=\"0.1.0\"} 1
";
const LAB: &str = "campuscafe_build_info{version=\"0.1.0\"} 1\n";

fn answer(status: u16, media_type: &str, body: &str, metrics: &str) -> Answer {
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
fn our_own_are_known_by_their_metrics() {
    for (metrics, expected) in [
        (INVENTORY, Some(Kind::Inventory)),
        (ORDER, Some(Kind::Order)),
        (LAB, Some(Kind::Lab)),
        ("order_attempts_total{result=\"ok\"} 0", None),
        ("# HELP campuscafe_build_info{", None),
        ("<html>", None),
        ("", None),
    ] {
        assert_eq!(service(metrics), expected, "{metrics}");
    }
}

#[test]
fn each_is_known_by_what_only_it_says() {
    let (json, html, text) = ("application/json", "text/html; charset=utf-8", "text/plain");
    let other = |what: &str| Seen::Other(what.to_owned());
    for (kind, answer, expected) in [
        (Kind::Order, answer(200, text, "ready\n", ORDER), Seen::Itself),
        (Kind::Order, answer(503, json, "{}", ORDER), Seen::NotReady),
        (Kind::Order, answer(421, json, "{}", ""), Seen::OtherHost),
        (Kind::Jaeger, answer(421, json, "", ""), other("421")),
        (Kind::Order, answer(200, text, "ready\n", INVENTORY), other("it is the inventory")),
        (Kind::Inventory, answer(200, text, "ready\n", LAB), other("it is the lab")),
        (Kind::Lab, answer(200, text, "ready\n", ""), other("200")),
        (Kind::Collector, answer(200, "application/x-protobuf", "", ""), Seen::Itself),
        (Kind::Collector, answer(200, html, "<html>", ""), other("200")),
        (Kind::Collector, answer(405, text, "", ""), other("405")),
        (Kind::Jaeger, answer(200, json, "{\"services\":[]}", ""), Seen::Itself),
        (Kind::Jaeger, answer(200, html, "<html>", ""), other("200")),
        (Kind::Jaeger, answer(404, json, "{\"status\":404}", ""), other("404")),
        (Kind::Prometheus, answer(200, text, "Prometheus Server is Ready.\n", ""), Seen::Itself),
        (Kind::Prometheus, answer(200, html, "<html>", ""), other("200")),
        (Kind::Prometheus, answer(503, text, "Service Unavailable", ""), other("503")),
        (Kind::Grafana, answer(200, json, "{\"database\":\"ok\"}", ""), Seen::Itself),
        (Kind::Grafana, answer(503, json, "{\"database\":\"failing\"}", ""), Seen::NotReady),
        (Kind::Grafana, answer(200, json, "{\"ok\":true}", ""), other("200")),
    ] {
        assert_eq!(identify(kind, &answer), expected, "{kind:?} {answer:?}");
    }
}

#[test]
fn what_is_not_there_says_how_to_start_it_or_to_do_without() {
    let order = target(Kind::Order, "ORDER_URL", "http://localhost:5201/readyz");
    let jaeger = target(Kind::Jaeger, "JAEGER_URL", "http://localhost:16686/api/v3/services");
    for (host, target, reply, found, mend) in [
        (
            Host::Machine(Way::Lab),
            &order,
            Reply::Nobody,
            "nothing answers at http://localhost:5201",
            "campuscafe",
        ),
        (
            Host::Machine(Way::Compose),
            &order,
            Reply::Silent,
            "no answer from http://localhost:5201 within 2s",
            "docker compose up -d",
        ),
        (
            Host::Machine(Way::Lab),
            &jaeger,
            Reply::Nobody,
            "nothing answers at http://localhost:16686",
            "docker compose up -d",
        ),
        (
            Host::Machine(Way::Kind),
            &jaeger,
            Reply::Nobody,
            "nothing answers at http://localhost:16686",
            "kubectl apply -k k8s/overlays/kind",
        ),
        (
            Host::Pod,
            &order,
            Reply::Nobody,
            "nothing answers at http://localhost:5201",
            "kubectl --namespace campuscafe rollout restart deployment/order",
        ),
    ] {
        let verdict = verdict(host, target, &reply);
        assert_eq!((verdict.status, verdict.found.as_str()), (Status::Bad, found));
        let mend = format!("{mend}, or do without: unset {}", target.variable);
        assert_eq!(verdict.mend.as_deref(), Some(mend.as_str()));
    }
}

#[test]
fn a_wrong_program_is_named_as_such() {
    let jaeger = target(Kind::Jaeger, "JAEGER_URL", "http://localhost:5301/api/v3/services");
    let reply = Reply::Answered(Box::new(answer(404, "application/json", "{}", "")));
    let wrong = verdict(Host::Machine(Way::Lab), &jaeger, &reply);
    let found = "something answers at http://localhost:5301, but it is not Jaeger: 404";
    assert_eq!((wrong.status, wrong.found.as_str()), (Status::Bad, found));
    let mend = "set JAEGER_URL to where Jaeger is, or do without: unset JAEGER_URL";
    assert_eq!(wrong.mend.as_deref(), Some(mend));

    let order = target(Kind::Order, "ORDER_URL", "http://cafe.example:5201/readyz");
    let reply = Reply::Answered(Box::new(answer(421, "application/problem+json", "{}", "")));
    let misdirected = verdict(Host::Machine(Way::Lab), &order, &reply);
    let found = "what answers at http://cafe.example:5201 does not answer for that host: 421";
    assert_eq!((misdirected.status, misdirected.found.as_str()), (Status::Bad, found));
    let mend =
        "add cafe.example to ALLOWED_HOSTS of the order service, or set ORDER_URL to an IP address";
    assert_eq!(misdirected.mend.as_deref(), Some(mend));

    let variable = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let grpc = target(Kind::Collector, variable, "http://localhost:4317/v1/traces");
    let wrong = verdict(Host::Machine(Way::Lab), &grpc, &Reply::Garbled);
    assert!(wrong.found.ends_with("not a collector of OTLP over HTTP: no plain HTTP"), "{wrong:?}");
    let mend = "export OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318";
    assert_eq!(wrong.mend.as_deref(), Some(mend));
}

#[test]
fn only_the_clock_of_the_right_program_is_looked_at() {
    let order = target(Kind::Order, "ORDER_URL", "http://localhost:5201/readyz");
    let lab = target(Kind::Lab, "LAB_URL", "http://localhost:5301/readyz");
    let names = |target: &Target, metrics: &str| {
        let reply = Reply::Answered(Box::new(answer(200, "text/plain", "ready\n", metrics)));
        let checks = judge(Host::Machine(Way::Lab), target, &reply);
        checks.into_iter().map(|check| (check.name, check.needed)).collect::<Vec<_>>()
    };
    let check = |name: &str, needed| (name.to_owned(), needed);
    assert_eq!(names(&order, ORDER), [check("order", true), check("clock of order", true)]);
    assert_eq!(names(&lab, LAB), [check("lab", true), check("clock of lab", false)]);
    assert_eq!(names(&order, LAB), [check("order", true)]);
}

#[test]
fn a_program_in_a_pod_is_recognised_by_the_variable_that_kubernetes_sets() {
    let set = |name: &str| (name == "KUBERNETES_SERVICE_HOST").then(|| "10.96.0.1".into());
    assert_eq!(Host::of(Way::Lab, set), Host::Pod);
    assert_eq!(Host::of(Way::Lab, |_| None), Host::Machine(Way::Lab));
}
