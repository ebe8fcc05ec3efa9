//! What only Docker Compose can show: how containers are confined, what images
//! are made of, what its own tools say about our files.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::stack::{Kind, Stack, done, run};

const OURS: [&str; 3] = ["inventory", "order", "lab"];

/// Every container of the project, as the engine sees it, by its service.
async fn containers() -> Vec<(String, Value)> {
    let ids = done(&["docker", "compose", "ps", "--quiet"]).await;
    let mut line = vec!["docker", "inspect"];
    line.extend(ids.split_whitespace());
    let all: Vec<Value> = serde_json::from_str(&done(&line).await).unwrap();
    let named = |one: Value| {
        let service = one["Config"]["Labels"]["com.docker.compose.service"].as_str().unwrap();
        (service.to_owned(), one)
    };
    all.into_iter().map(named).collect()
}

#[tokio::test]
async fn every_container_is_confined_healthy_and_only_for_this_machine() {
    let Some(_) = Stack::only_on(Kind::Compose, "containers are confined") else { return };
    let all = containers().await;
    assert_eq!(all.len(), 6);
    let mut memory = 0;
    for (service, one) in &all {
        let host = &one["HostConfig"];
        assert_eq!(host["ReadonlyRootfs"], true, "{service}");
        assert_eq!(host["CapDrop"], serde_json::json!(["ALL"]), "{service}");
        assert_eq!(host["Privileged"], false, "{service}");
        let options = host["SecurityOpt"].as_array().unwrap();
        assert!(options.contains(&"no-new-privileges:true".into()), "{service}");
        assert_eq!(one["State"]["Health"]["Status"], "healthy", "{service}");
        memory += host["Memory"].as_u64().filter(|limit| *limit > 0).expect("a limit");
        let ports = host["PortBindings"].as_object().unwrap().values();
        for binding in ports.flat_map(|bindings| bindings.as_array().unwrap()) {
            assert_eq!(binding["HostIp"], "127.0.0.1", "{service}");
        }
        let user = one["Config"]["User"].as_str().unwrap();
        let root = user.is_empty() || user.starts_with('0') || user == "root";
        assert!(!root, "{service} runs as {user:?}");
        let name = one["Name"].as_str().unwrap();
        assert!(name.contains("campuscafe-test-"), "{name}: a fixed name would collide");
    }
    // Load is not among them, since its profile is off.
    let load = 64 << 20;
    assert!(memory + load < 1_300_000_000, "limits of {memory} bytes");
}

#[tokio::test]
async fn our_images_hold_one_small_program_and_nothing_to_run_it_with() {
    let Some(_) = Stack::only_on(Kind::Compose, "images are small") else { return };
    for service in OURS {
        let image = done(&["docker", "compose", "images", "--format", "json", service]).await;
        let image: Value = serde_json::from_str(&image).unwrap();
        let id = image[0]["ID"].as_str().unwrap();
        let image: Value =
            serde_json::from_str(&done(&["docker", "image", "inspect", id]).await).unwrap();
        let size = image[0]["Size"].as_u64().unwrap();
        assert!(size < 12_000_000, "{service}: {size} bytes");
        assert_eq!(image[0]["Config"]["User"], "65532:65532", "{service}");
        assert!(image[0]["Config"]["Healthcheck"].is_object(), "{service}");
        let labels = image[0]["Config"]["Labels"].as_object().unwrap();
        for label in ["title", "source", "licenses", "revision", "description"] {
            let label = format!("org.opencontainers.image.{label}");
            assert!(labels.contains_key(&label), "{service}: {label}");
        }
        let shell =
            run(&["docker", "compose", "exec", "-T", service, "/bin/sh", "-c", "true"]).await;
        assert_ne!(shell.code, Some(0), "{service} has a shell");
    }
}

#[tokio::test]
async fn promtool_finds_nothing_to_complain_about() {
    let Some(stack) = Stack::only_on(Kind::Compose, "promtool") else { return };
    let exec = ["docker", "compose", "exec", "-T", "prometheus", "promtool"];
    let config = "/etc/prometheus/prometheus.yml";
    let said = done(&[&exec[..], &["check", "config", "--lint=all", config]].concat()).await;
    assert!(said.contains("SUCCESS"), "{said}");
    let rules = "/etc/prometheus/rules.yml";
    let said = done(&[&exec[..], &["check", "rules", "--lint=all", rules]].concat()).await;
    assert!(said.contains("SUCCESS"), "{said}");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/prometheus:/work:ro");
    let test = ["docker", "compose", "--progress", "quiet", "run", "--rm", "--no-deps", "-T"];
    // promtool writes where it can, and only the volume can be written to.
    let test = [&test[..], &["--env", "TMPDIR=/prometheus"]].concat();
    let test = [&test[..], &["--volume", folder, "--workdir", "/work", "--entrypoint", "promtool"]];
    let test = [&test.concat()[..], &["prometheus", "test", "rules", "rules_test.yml"]].concat();
    let said = run(&test).await;
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    for service in [&stack.order, &stack.inventory, &stack.lab] {
        let page = stack.http.get(format!("{service}/metrics")).send().await.unwrap();
        let page = page.text().await.unwrap();
        let mut check = Command::new(exec[0])
            .args(&exec[1..])
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        check.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
        let output = check.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{service}: {said}");
    }
}

#[tokio::test]
async fn a_second_project_runs_beside_the_first() {
    let Some(stack) = Stack::only_on(Kind::Compose, "a second project") else { return };
    let first = stack.reservations().await;
    // The script takes a project name and ports of its own.
    let order = "curl -sf \"$ORDER_URL/orders\" -H 'content-type: application/json' \
                 -d '{\"itemId\":\"cake\",\"quantity\":1}' && curl -sf \"$INVENTORY_URL/inventory/state\"";
    let said = done(&["scripts/with-compose", "bash", "-c", order]).await;
    assert!(
        said.contains("\"outcome\":\"confirmed\"") && said.contains("\"reservations\":1"),
        "{said}"
    );
    assert_eq!(stack.reservations().await, first, "the first one's stock is its own");
    stack.reset().await;
    assert_eq!(stack.order("none", false).await["outcome"], "confirmed");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let Some(stack) = Stack::only_on(Kind::Compose, "a port that is taken") else { return };
    let taken = stack.order.rsplit(':').next().unwrap().to_owned();
    let project = format!("campuscafe-test-taken-{}", std::process::id());
    let compose = ["docker", "compose", "--progress", "plain", "--project-name", &project];
    let setting = format!("ORDER_PORT={taken}");
    // Only the order service: its port is the one that is taken.
    let up = [&["env", &setting][..], &compose, &["up", "--detach", "--no-deps", "order"]].concat();
    let said = run(&up).await;
    done(&[&compose[..], &["down", "--volumes", "--timeout", "1"]].concat()).await;
    assert_ne!(said.code, Some(0));
    let words = said.err.contains("already allocated") || said.err.contains("already in use");
    assert!(words && said.err.contains(&taken), "{}", said.err);
}
