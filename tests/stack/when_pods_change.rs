//! What only a cluster can show: what it refuses, replicas, and pods that come
//! and go. By its name this stands last, as the counters of pods go with them.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use campuscafe_tests::{Process, eventually};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::stack::{Kind, Said, Stack, done, run};
use crate::when_parts_restart::{load_of, orders, restart, summary, under_way, whole};

const PARTS: [&str; 7] =
    ["inventory", "order", "postgres", "lab", "jaeger", "prometheus", "grafana"];
const KUBECTL: [&str; 3] = ["kubectl", "--namespace", "campuscafe"];

/// Longer than an experiment waits for pods to be replaced.
const EXPERIMENT_LIMIT: Duration = Duration::from_mins(4);

async fn kubectl(arguments: &[&str]) -> String {
    done(&[&KUBECTL[..], arguments].concat()).await
}

/// What the API server says to a manifest, without anything being made.
async fn tried(manifest: &Value) -> Said {
    let mut child = Command::new("kubectl")
        .args(["--namespace", "campuscafe", "apply", "--dry-run=server", "--filename", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(manifest.to_string().as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

#[tokio::test]
async fn every_pod_is_ready_and_has_never_restarted() {
    let Some(_) = Stack::only_on(Kind::Cluster, "pods are ready") else { return };
    // Whatever other tests replaced has come back.
    for part in PARTS {
        let part = format!("deployment/{part}");
        kubectl(&["rollout", "status", &part, "--timeout", "60s"]).await;
    }
    let pods: Value =
        serde_json::from_str(&kubectl(&["get", "pods", "--output", "json"]).await).unwrap();
    for pod in pods["items"].as_array().unwrap() {
        let status = &pod["status"]["containerStatuses"][0];
        assert_eq!(status["restartCount"], 0, "{}", pod["metadata"]["name"]);
    }
    // Not ready yet is no fault, and the control plane puts right by itself what
    // it warns of here.
    let harmless = [
        "Unhealthy",
        // The kubelet tries again; a volume that stays away keeps the pod from being ready.
        "FailedMount",
        "FailedToUpdateEndpoint",
        "FailedToUpdateEndpointSlices",
        "ClusterIPNotAllocated",
    ];
    let others = harmless.map(|reason| format!(",reason!={reason}")).concat();
    let others = format!("type=Warning{others}");
    let events = ["get", "events", "--output", "name", "--field-selector", &others];
    let warnings = kubectl(&events).await;
    assert_eq!(warnings, "", "{}", kubectl(&["get", "events"]).await);
}

#[tokio::test]
async fn applying_again_changes_nothing_and_warns_of_nothing() {
    let Some(_) = Stack::only_on(Kind::Cluster, "applying twice") else { return };
    let again = ["apply", "--warnings-as-errors", "--kustomize", "k8s/overlays/kind"];
    let said = kubectl(&again).await;
    let changed: Vec<_> = said.lines().filter(|line| !line.ends_with(" unchanged")).collect();
    assert!(said.lines().count() > 30 && changed.is_empty(), "{changed:?}");
}

#[tokio::test]
async fn the_api_server_takes_every_overlay_without_a_warning() {
    let Some(_) = Stack::only_on(Kind::Cluster, "overlays are taken") else { return };
    for overlay in ["k8s/overlays/kind", "k8s/overlays/memory", "k8s/overlays/scale"] {
        let dry = ["apply", "--dry-run=server", "--warnings-as-errors", "--kustomize", overlay];
        let said = run(&[&KUBECTL[..], &dry].concat()).await;
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{overlay}");
    }
}

#[tokio::test]
async fn a_privileged_a_root_and_a_writable_variation_of_each_pod_is_refused() {
    let Some(_) = Stack::only_on(Kind::Cluster, "policies") else { return };
    for part in PARTS {
        let deployment = kubectl(&["get", "deployment", part, "--output", "json"]).await;
        let deployment: Value = serde_json::from_str(&deployment).unwrap();
        let template = &deployment["spec"]["template"];
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": format!("{part}-tried"), "labels": template["metadata"]["labels"] },
            "spec": template["spec"],
        });
        let said = tried(&pod).await;
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{part} as it is");

        let context = "/spec/containers/0/securityContext";
        let variations: [(&str, &str, Value, &str); 3] = [
            ("privileged", "privileged", true.into(), "privileged"),
            ("root", "runAsUser", 0.into(), "runAsUser=0"),
            ("writable", "readOnlyRootFilesystem", false.into(), "read-only"),
        ];
        for (name, member, value, word) in variations {
            let mut spoiled = pod.clone();
            spoiled.pointer_mut(context).unwrap()[member] = value;
            let said = tried(&spoiled).await;
            assert_ne!(said.code, Some(0), "{part}, {name}: {}", said.out);
            assert!(said.err.contains(word), "{part}, {name}: {}", said.err);
        }
    }
}

#[tokio::test]
async fn no_pod_can_speak_to_the_api_server() {
    let Some(_) = Stack::only_on(Kind::Cluster, "service accounts") else { return };
    let pods: Value =
        serde_json::from_str(&kubectl(&["get", "pods", "--output", "json"]).await).unwrap();
    for pod in pods["items"].as_array().unwrap() {
        assert_eq!(pod["spec"]["automountServiceAccountToken"], false);
        assert!(!pod["spec"]["volumes"].to_string().contains("serviceAccountToken"), "{pod:#}");
    }
}

#[tokio::test]
async fn three_replicas_of_the_order_service_are_all_scraped_and_all_traced() {
    let Some(stack) = Stack::only_on(Kind::Cluster, "three replicas") else { return };
    kubectl(&["scale", "deployment/order", "--replicas", "3"]).await;
    kubectl(&["rollout", "status", "deployment/order", "--timeout", "60s"]).await;
    let names = "jsonpath={.items[*].metadata.name}";
    let selector = "app.kubernetes.io/name=order";
    let pods = kubectl(&["get", "pods", "--selector", selector, "--output", names]).await;
    let pods: BTreeSet<String> = pods.split_whitespace().map(str::to_owned).collect();
    assert_eq!(pods.len(), 3);
    eventually("three order targets that are up", || async {
        let up = stack.query(r#"up{job="order"}"#).await;
        (up.len() == 3 && up.iter().all(|(_, value)| *value == 1.0)).then_some(())
    })
    .await;
    let mut served = BTreeSet::new();
    let deadline = tokio::time::Instant::now() + campuscafe_tests::DEADLINE;
    while served.len() < 3 {
        assert!(tokio::time::Instant::now() < deadline, "only {served:?} took orders");
        // Connections are kept, so each order comes over one of its own.
        let mut fresh = stack.clone();
        fresh.http = reqwest::Client::builder().no_proxy().build().unwrap();
        fresh.reset().await;
        let order = fresh.order("none", false).await;
        let spans = fresh.trace(order["traceId"].as_str().unwrap(), 4).await;
        let root = spans.iter().find(|span| span.parent.is_empty()).unwrap();
        served.insert(root.instance.clone().expect("the pod's name"));
    }
    assert_eq!(served, pods, "service.instance.id is the pod's name");
    kubectl(&["scale", "deployment/order", "--replicas", "1"]).await;
    eventually("one order target", || async {
        (stack.query(r#"up{job="order"}"#).await.len() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_rolling_update_answers_every_order_and_ends_the_late_work() {
    let Some(stack) = Stack::only_on(Kind::Cluster, "a rolling update with late work") else {
        return;
    };
    whole(&stack).await;
    let reserved = stack.reservations().await;
    let load = load_of(&stack, 10, "none=80,slow=20");
    under_way(&stack).await;
    restart(&stack, "order").await;
    let summary = summary(load).await;
    let (told_yes, unknown) = (orders(&summary, "confirmed"), orders(&summary, "unknown"));
    assert_eq!(told_yes + unknown, summary["answered"].as_u64().unwrap(), "{summary:#}");
    assert_eq!(orders(&summary, "no_answer"), 0, "{summary:#}");
    assert!(told_yes >= 100 && unknown >= 10, "{summary:#}");
    eventually("a reservation for every order, late or not", || async {
        (stack.reservations().await - reserved == told_yes + unknown).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_inventory_pod_that_is_deleted_first_ends_the_work_that_nobody_waits_for() {
    let Some(stack) = Stack::only_on(Kind::Cluster, "late work of a deleted pod") else { return };
    whole(&stack).await;
    stack.reset().await;
    // Told unknown after 1 s, while the inventory is at work for three more.
    let order = stack.order("slow:4000", false).await;
    assert_eq!(order["outcome"], "unknown", "{order}");
    let inventory = "app.kubernetes.io/name=inventory";
    kubectl(&["delete", "pod", "--selector", inventory, "--wait=false"]).await;
    // The order, its attempt, the work, the wait, the commit.
    let spans = stack.trace(order["traceId"].as_str().unwrap(), 5).await;
    let commit = spans.iter().find(|span| span.name.starts_with("commit reservation")).unwrap();
    assert_eq!(commit.flag("campuscafe.reservation.late"), Some(true));
    whole(&stack).await;
    assert_eq!(stack.reservations().await, 1, "the new pod knows of it too");
}

/// Runs an experiment in the lab, carries out the very command that it prints,
/// and gives what it found.
async fn experiment(name: &str) -> Value {
    let mut command = Command::new(KUBECTL[0]);
    command.args(&KUBECTL[1..]).args([
        "exec",
        "deploy/lab",
        "--",
        "campuscafe",
        "experiment",
        name,
        "--json",
    ]);
    let mut experiment = Process::of(command);
    let command = |line: &str| Some(line.trim().strip_prefix("kubectl ")?.to_owned());
    let command = experiment.said_aside("a command to run", command).await;
    let words: Vec<&str> = std::iter::once("kubectl").chain(command.split(' ')).collect();
    done(&words).await;
    let status = experiment.ended_within(EXPERIMENT_LIMIT).await;
    let text = experiment.stdout();
    let json: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"));
    assert_eq!(status.code(), Some(0), "{json:#}");
    json["findings"][0].clone()
}

#[tokio::test]
async fn after_the_pod_of_the_inventory_is_deleted_the_next_one_knows_what_customers_were_told() {
    let Some(stack) = Stack::only_on(Kind::Cluster, "experiment kill") else { return };
    let before = stack.reservations().await;
    let finding = experiment("kill").await;
    let known = finding["ledger"]["known"].as_u64().unwrap();
    let reservations = finding["ledger"]["reservations"].as_u64().unwrap();
    assert!(known >= 20 && reservations >= known, "{finding:#}");
    assert_eq!(stack.reservations().await, before + reservations);
}

#[tokio::test]
async fn a_rollout_of_the_order_service_costs_no_customer_anything() {
    let Some(_) = Stack::only_on(Kind::Cluster, "experiment rollout") else { return };
    let finding = experiment("rollout").await;
    let customers = finding["customers"].as_array().unwrap();
    assert!(customers.iter().all(|customer| customer["told"] == "confirmed"), "{finding:#}");
    assert_eq!(finding["ledger"]["known"], customers.len());
    assert_eq!(finding["ledger"]["reservations"], customers.len());
    let pods: BTreeSet<_> =
        customers.iter().filter_map(|customer| customer["pod"].as_str()).collect();
    assert!(pods.len() >= 2, "old and new: {pods:?}");
}
