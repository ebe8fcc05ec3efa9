//! `campuscafe doctor` checks what is there, and says how to fix what is not.

use std::net::TcpListener as StdListener;
use std::path::PathBuf;

use campuscafe_tests::{Cafe, Process, ReservedPort};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A server that gives everybody the same answer.
async fn server(date: &str, media_type: &str, body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!(
        "HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Type: {media_type}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

/// The doctor's exit code and text, with ports that are free unless the test says otherwise.
async fn doctor(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String) {
    // Later ones win.
    let mut all = vec![
        ("PATH", ""),
        ("INVENTORY_LISTEN", "127.0.0.1:0"),
        ("ORDER_LISTEN", "127.0.0.1:0"),
        ("LAB_LISTEN", "127.0.0.1:0"),
    ];
    all.extend(environment);
    let (code, stdout, stderr) =
        Process::run("campuscafe", &[&["doctor"], arguments].concat(), &all).await;
    assert_eq!(stderr, "", "{stdout}");
    (code, stdout)
}

/// The same, read by a machine.
async fn report(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, Value) {
    let (code, stdout) = doctor(&[&["--json"], arguments].concat(), environment).await;
    (code, serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("no JSON: {stdout}")))
}

/// The check whose name starts so.
fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    let named = |check: &&Value| check["name"].as_str().unwrap().starts_with(name);
    checks.iter().find(named).unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

fn found<'a>(report: &'a Value, name: &str) -> (&'a str, &'a str) {
    let check = check(report, name);
    (check["status"].as_str().unwrap(), check["found"].as_str().unwrap())
}

fn port(url: &str) -> String {
    format!("port {} ", url.rsplit(':').next().unwrap())
}

#[tokio::test]
async fn a_machine_with_free_ports_and_nothing_else_is_ready_for_the_lab() {
    let (code, text) = doctor(&[], &[]).await;
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(
        text,
        "\
ok    port 0 (inventory)  free
ok    port 0 (order)      free
ok    port 0 (lab)        free

This machine is ready for: lab"
    );
}

#[tokio::test]
async fn each_profile_needs_its_programs() {
    for (profile, needed) in
        [("compose", &["docker", "docker compose"][..]), ("kind", &["docker", "kubectl", "kind"])]
    {
        let (code, report) = report(&[profile], &[]).await;
        assert_eq!((code, &report["ok"]), (Some(1), &false.into()));
        assert_eq!(report["profile"], profile);
        let checks = report["checks"].as_array().unwrap();
        let missing: Vec<_> = checks.iter().filter(|it| it["found"] == "not found").collect();
        assert!(missing.iter().all(|it| it["status"] == "bad" && it["fix"].is_string()));
        let names: Vec<_> = missing.iter().map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(names, needed, "{report:#}");
    }
}

/// A folder with these shell scripts as programs.
#[cfg(unix)]
fn programs(name: &str, scripts: &[(&str, &str)]) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).unwrap();
    for (name, lines) in scripts {
        let path = directory.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    directory.to_str().unwrap().to_owned()
}

#[cfg(unix)]
#[tokio::test]
async fn an_engine_that_does_not_answer_and_an_old_compose_are_bad() {
    let docker = "if [ \"$1\" = compose ]; then echo v2.17.2; exit; fi\n\
                  echo 'Cannot connect to the Docker daemon' >&2; exit 1";
    let path = programs("doctor-old", &[("docker", docker)]);
    let (code, compose) = report(&["compose"], &[("PATH", &path)]).await;
    assert_eq!(code, Some(1));
    let engine = ("bad", "its engine does not answer: Cannot connect to the Docker daemon");
    assert_eq!(found(&compose, "docker"), engine);
    assert_eq!(found(&compose, "docker compose"), ("bad", "v2.17.2 is older than 2.20"));
}

#[cfg(unix)]
#[tokio::test]
async fn an_engine_that_hangs_is_given_up_and_programs_on_the_path_are_found() {
    let scripts = [("docker", "kill -STOP $$"), ("kubectl", ""), ("kind", "")];
    let path = programs("doctor-hangs", &scripts);
    let (code, kind) = report(&["kind"], &[("PATH", &path)]).await;
    assert_eq!(code, Some(1));
    let engine = ("bad", "its engine does not answer: no answer within 3s");
    assert_eq!(found(&kind, "docker"), engine);
    for program in ["kubectl", "kind"] {
        assert_eq!(found(&kind, program), ("ok", format!("{path}/{program}").as_str()));
    }
}

#[tokio::test]
async fn a_taken_port_names_who_has_it_and_where_to_go() {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (code, text) = doctor(&[], &[("ORDER_LISTEN", &address.to_string())]).await;
    assert_eq!(code, Some(1), "{text}");
    let name = std::fs::read_to_string("/proc/self/comm").unwrap();
    let me = format!("in use by {} (pid {})", name.trim_end(), std::process::id());
    let mut lines = text.lines().skip_while(|line| !line.contains("(order)"));
    let line = lines.next().unwrap();
    assert!(line.starts_with(&format!("bad   port {} (order)", address.port())), "{line}");
    assert!(line.ends_with(&me), "{line}, expected {me}");
    assert_eq!(lines.next(), Some("      fix: ORDER_LISTEN=127.0.0.1:0 campuscafe"));
    assert_eq!(text.lines().last(), Some("Not ready for lab: 1 problem"));
}

#[tokio::test]
async fn a_process_that_listens_on_every_address_is_found_too() {
    for (everywhere, home) in [("0.0.0.0:0", "127.0.0.1"), ("[::]:0", "[::1]")] {
        // Not every machine has IPv6.
        let Ok(listener) = StdListener::bind(everywhere) else { continue };
        let address = format!("{home}:{}", listener.local_addr().unwrap().port());
        let (code, report) = report(&[], &[("LAB_LISTEN", &address)]).await;
        assert_eq!(code, Some(1), "{report:#}");
        let (_, found) = found(&report, &port(&address));
        assert!(found.ends_with(&format!("(pid {})", std::process::id())), "{found}");
    }
}

#[tokio::test]
async fn an_address_that_no_process_has_and_that_cannot_be_used_is_bad() {
    // 192.0.2.0/24 is for documentation: no machine has it.
    let (code, report) = report(&[], &[("LAB_LISTEN", "192.0.2.1:5301")]).await;
    assert_eq!(code, Some(1), "{report:#}");
    let (status, lab) = found(&report, "port 5301 (lab)");
    assert!(status == "bad" && lab.starts_with("cannot listen on 192.0.2.1:5301: "), "{lab}");
}

#[tokio::test]
async fn a_cafe_that_is_open_is_no_problem_and_all_of_it_answers() {
    let cafe = Cafe::open().await;
    let address = |url: &str| url.trim_start_matches("http://").to_owned();
    let (inventory, order, lab) =
        (address(&cafe.inventory), address(&cafe.order), address(&cafe.lab));
    let (code, report) = report(
        &[],
        &[
            ("INVENTORY_LISTEN", &inventory),
            ("ORDER_LISTEN", &order),
            ("LAB_LISTEN", &lab),
            ("INVENTORY_URL", &cafe.inventory),
            ("ORDER_URL", &cafe.order),
            ("LAB_URL", &cafe.lab),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &cafe.lab),
        ],
    )
    .await;
    assert_eq!(code, Some(0), "{report:#}");
    for (url, service) in
        [(&cafe.inventory, "inventory"), (&cafe.order, "order"), (&cafe.lab, "lab")]
    {
        let (status, found) = found(&report, &port(url));
        let expected = format!("in use by a running CampusCafe ({service}, pid ");
        assert!(status == "note" && found.starts_with(&expected), "{found}");
    }
    let pid = format!("(lab, pid {}); stop it to start another", cafe.process.pid());
    assert!(found(&report, &port(&cafe.lab)).1.ends_with(&pid), "{report:#}");
    for (name, url) in [
        ("inventory", &cafe.inventory),
        ("order", &cafe.order),
        ("lab", &cafe.lab),
        ("collector", &cafe.lab),
    ] {
        assert_eq!(found(&report, name), ("ok", format!("answers at {url}").as_str()));
    }
    for name in ["inventory", "order"] {
        assert_eq!(
            found(&report, &format!("clock of {name}")),
            ("ok", "agrees with this machine's")
        );
    }
    let traces = cafe.send(cafe.http.get(format!("{}/api/traces", cafe.lab))).await;
    assert_eq!(traces.body["traces"], serde_json::json!([]), "looking leaves no traces");
}

#[tokio::test]
async fn a_program_whose_url_is_set_is_needed() {
    let closed = ReservedPort::take();
    let url = closed.url();
    for (variable, name) in [
        ("ORDER_URL", "order"),
        ("INVENTORY_URL", "inventory"),
        ("LAB_URL", "lab"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector"),
        ("JAEGER_URL", "Jaeger"),
        ("PROMETHEUS_URL", "Prometheus"),
        ("GRAFANA_URL", "Grafana"),
    ] {
        // The order service is not used without the inventory behind it.
        let (code, report) = report(&[], &[("INVENTORY_URL", &url), (variable, &url)]).await;
        assert_eq!(code, Some(1), "{variable}: {report:#}");
        let expected = format!("nothing answers at {url}");
        assert_eq!(found(&report, name), ("bad", expected.as_str()));
        let fix = check(&report, name)["fix"].as_str().unwrap();
        assert!(fix.ends_with(&format!("unset {variable}")), "{fix}");
    }
}

#[tokio::test]
async fn a_flag_says_it_as_well_as_the_environment() {
    let closed = ReservedPort::take();
    let url = closed.url();
    for flag in [
        "--inventory-url",
        "--lab-url",
        "--collector",
        "--jaeger-url",
        "--prometheus-url",
        "--grafana-url",
    ] {
        let (code, text) = doctor(&[flag, &url], &[]).await;
        assert_eq!(code, Some(1), "{flag}: {text}");
        assert!(text.contains(&format!("nothing answers at {url}")), "{flag}: {text}");
    }
}

#[tokio::test]
async fn a_wrong_program_behind_a_url_is_named_as_such() {
    let cafe = Cafe::open().await;
    for (variable, name, url, expected) in [
        ("JAEGER_URL", "Jaeger", &cafe.lab, "it is not Jaeger: 404"),
        ("GRAFANA_URL", "Grafana", &cafe.lab, "it is not Grafana: 404"),
        ("PROMETHEUS_URL", "Prometheus", &cafe.lab, "it is not Prometheus: 404"),
        (
            "INVENTORY_URL",
            "inventory",
            &cafe.order,
            "it is not the inventory: it is the order service",
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "collector",
            &cafe.order,
            "it is not a collector of OTLP over HTTP: 404",
        ),
    ] {
        let (code, report) = report(&[], &[(variable, url)]).await;
        assert_eq!(code, Some(1), "{variable}: {report:#}");
        let sentence = format!("something answers at {url}, but {expected}");
        assert_eq!(found(&report, name), ("bad", sentence.as_str()));
    }
}

#[tokio::test]
async fn a_program_that_accepts_and_never_answers_is_given_up() {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (code, report) = report(&[], &[("LAB_URL", &url)]).await;
    assert_eq!(code, Some(1), "{report:#}");
    let expected = format!("no answer from {url} within 2s");
    assert_eq!(found(&report, "lab"), ("bad", expected.as_str()));
}

#[tokio::test]
async fn a_clock_that_is_far_from_ours_is_bad_where_spans_get_their_times_from_it() {
    let metrics = "campuscafe_build_info{version=\"0.1.0\"} 1\n\
                   inventory_reservations_total{item=\"cake\",lane=\"naive\"} 0\n";
    let inventory = server("Sun, 06 Nov 1994 08:49:37 GMT", "text/plain", metrics).await;
    let (code, report) = report(&[], &[("INVENTORY_URL", &inventory)]).await;
    assert_eq!(code, Some(1), "{report:#}");
    assert_eq!(found(&report, "inventory").0, "ok");
    let clock = check(&report, "clock of inventory");
    assert_eq!(clock["status"], "bad");
    assert!(clock["found"].as_str().unwrap().contains(" s behind this machine's"), "{clock}");
    assert_eq!(clock["fix"], "timedatectl set-ntp true");
}

#[tokio::test]
async fn an_invalid_value_is_one_line_and_status_2() {
    for (arguments, environment, tells) in [
        (&["moon"][..], &[][..], "moon"),
        (&["--jaeger-url", "localhost:16686"], &[], "expected http://HOST:PORT"),
        (&["--order-url", "http://localhost:5201"], &[], "--inventory-url"),
        (&["--collector", "https://collector"], &[], "expected http://HOST:PORT"),
        (&[], &[("GRAFANA_URL", "grafana")], "GRAFANA_URL"),
        (&[], &[("ORDER_LISTEN", "5201")], "ORDER_LISTEN"),
        (&[], &[("OTEL_EXPORTER_OTLP_ENDPOINT", "x")], "OTEL_EXPORTER_OTLP_ENDPOINT"),
    ] {
        let arguments = [&["doctor"], arguments].concat();
        let (code, stdout, stderr) = Process::run("campuscafe", &arguments, environment).await;
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{tells}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(tells), "{stderr}");
    }
}
