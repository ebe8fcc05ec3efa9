//! Who may speak to whom on a cluster, tried from inside the pods: a policy that a
//! cluster accepted may still forbid nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use campuscafe_tests::eventually;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::stack::{Kind, Said, Stack, done, run};

/// The only port that does not speak HTTP.
const DATABASE: u16 = 5432;

/// Every port that a pod of the café listens on.
const DOORS: [(&str, u16); 10] = [
    ("inventory", 5101),
    ("order", 5201),
    ("lab", 5301),
    ("jaeger", 4318),
    ("jaeger", 16686),
    ("jaeger", 8888),
    ("jaeger", 8889),
    ("prometheus", 9090),
    ("grafana", 3000),
    ("postgres", DATABASE),
];

/// Who may speak to whom, as the heads of the two network-policies.yaml say.
const ALLOWED: [(&str, &str, u16); 20] = [
    ("order", "inventory", 5101),
    ("order", "jaeger", 4318),
    ("inventory", "jaeger", 4318),
    ("jaeger", "lab", 5301),
    ("lab", "inventory", 5101),
    ("lab", "order", 5201),
    ("lab", "lab", 5301),
    ("lab", "jaeger", 16686),
    ("lab", "prometheus", 9090),
    ("lab", "grafana", 3000),
    ("prometheus", "inventory", 5101),
    ("prometheus", "order", 5201),
    ("prometheus", "lab", 5301),
    ("prometheus", "jaeger", 8888),
    ("prometheus", "jaeger", 8889),
    ("grafana", "jaeger", 16686),
    ("grafana", "prometheus", 9090),
    ("inventory", "postgres", DATABASE),
    ("order", "postgres", DATABASE),
    ("lab", "postgres", DATABASE),
];

/// Longer than an answer takes on a busy machine; a refused packet has none.
const LIMIT: Duration = Duration::from_secs(6);

const OUTSIDER: &str = "campuscafe-outsider";

/// The stack, if its cluster is known to enforce policies; otherwise says loudly
/// that nothing was tried.
async fn enforcing(test: &str) -> Option<Stack> {
    let stack = Stack::only_on(Kind::Cluster, test)?;
    let context = done(&["kubectl", "config", "current-context"]).await;
    if context.starts_with("kind-") {
        return Some(stack);
    }
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED {test}: whether the cluster of {} enforces policies is not known",
        context.trim()
    );
    None
}

/// The cluster address of each part, and the address of a node.
async fn addresses() -> BTreeMap<String, String> {
    let services = "kubectl --namespace campuscafe get services --output json";
    let services: Value =
        serde_json::from_str(&done(&services.split(' ').collect::<Vec<_>>()).await).unwrap();
    let named = |one: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&one["metadata"]["name"]), text(&one["spec"]["clusterIP"]))
    };
    let mut all: BTreeMap<_, _> = services["items"].as_array().unwrap().iter().map(named).collect();
    let node = "kubectl get nodes --output jsonpath={.items[0].status.addresses[0].address}";
    all.insert("node".to_owned(), done(&node.split(' ').collect::<Vec<_>>()).await);
    all
}

/// A command that asks an address for a page from inside a pod. Our own images hold
/// one program only, whose health check can be pointed at any address.
fn question(from: &str, address: &str) -> Vec<String> {
    let exec =
        |namespace: &str, pod: &str| format!("kubectl --namespace {namespace} exec {pod} --");
    let line = match from {
        "inventory" | "order" => {
            let exec = exec("campuscafe", &format!("deployment/{from}"));
            format!("{exec} {from} --listen {address} healthcheck")
        }
        "lab" => {
            let exec = exec("campuscafe", "deployment/lab");
            format!("{exec} campuscafe healthcheck --listen {address}")
        }
        _ => {
            let exec = match from {
                OUTSIDER => exec(OUTSIDER, "pod/outsider"),
                part => exec("campuscafe", &format!("deployment/{part}")),
            };
            format!("{exec} wget -q -O /dev/null http://{address}/")
        }
    };
    line.split(' ').map(str::to_owned).collect()
}

/// Whether any HTTP answer came, a refusal included. The database closes a connection that
/// speaks HTTP, so there it is enough that one was made.
fn is_reached(line: &[&str], said: &Said) -> bool {
    let text = format!("{}{}", said.out, said.err);
    if line.iter().any(|word| word.trim_end_matches('/').ends_with(&format!(":{DATABASE}"))) {
        let shut = ["refused", "timed out", "unreachable", "no answer within"];
        return !shut.iter().any(|why| text.contains(why));
    }
    said.code == Some(0) || text.contains("HTTP/1") || text.contains("server returned error")
}

/// Which of these questions were answered. Refused ones take seconds each, so many
/// are asked at a time.
async fn answered<T: Ord + Send + 'static>(asked: Vec<(T, Vec<String>)>) -> BTreeSet<T> {
    let at_a_time = Arc::new(Semaphore::new(12));
    let mut asking = JoinSet::new();
    for (pair, line) in asked {
        let at_a_time = at_a_time.clone();
        asking.spawn(async move {
            let _turn = at_a_time.acquire_owned().await;
            let line: Vec<_> = line.iter().map(String::as_str).collect();
            // Some images have a `wget` without a limit of its own.
            let said = tokio::time::timeout(LIMIT, run(&line)).await;
            (pair, said.is_ok_and(|said| is_reached(&line, &said)))
        });
    }
    asking.join_all().await.into_iter().filter_map(|(pair, yes)| yes.then_some(pair)).collect()
}

#[tokio::test]
async fn each_part_reaches_the_parts_that_its_policies_name_and_no_other() {
    let Some(_) = enforcing("policies between the parts").await else { return };
    let addresses = addresses().await;
    let mut asked = Vec::new();
    for from in ["inventory", "order", "lab", "jaeger", "prometheus", "grafana"] {
        // Whether a pod reaches itself is no question of policies; only the lab does.
        for (to, port) in DOORS.into_iter().filter(|(to, _)| *to != from || from == "lab") {
            asked.push(((from, to, port), question(from, &format!("{}:{port}", addresses[to]))));
        }
    }
    let expected: BTreeSet<_> = ALLOWED.into_iter().collect();
    let found = answered(asked).await;
    let missing: Vec<_> = expected.difference(&found).collect();
    let surplus: Vec<_> = found.difference(&expected).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "shut: {missing:?}, open: {surplus:?}");
}

/// A pod that has `wget`, in a namespace of its own.
async fn outsider() {
    let images = "kubectl --namespace campuscafe get deployment prometheus --output \
                  jsonpath={.spec.template.spec.containers[0].image}";
    let image = done(&images.split_whitespace().collect::<Vec<_>>()).await;
    // One may be left of a run that was interrupted.
    done(&["kubectl", "delete", "namespace", OUTSIDER, "--ignore-not-found"]).await;
    done(&["kubectl", "create", "namespace", OUTSIDER]).await;
    let pod = json!({ "apiVersion": "v1", "spec": {
        "automountServiceAccountToken": false,
        "containers": [{ "name": "outsider", "image": image, "imagePullPolicy": "IfNotPresent",
            // Waits for an input that never comes.
            "command": ["cat"], "stdin": true, "securityContext": { "runAsUser": 65534 } }],
    }});
    let pod = format!("--overrides={pod}");
    let image = format!("--image={image}");
    let start = ["kubectl", "--namespace", OUTSIDER, "run", "outsider", &image, &pod];
    done(&[&start[..], &["--restart=Never"]].concat()).await;
    let ready = ["wait", "--for=condition=Ready", "pod/outsider", "--timeout=60s"];
    done(&[&["kubectl", "--namespace", OUTSIDER][..], &ready].concat()).await;
}

/// Every door of the café and every NodePort, asked by the outsider.
async fn reached_by_outsider(addresses: &BTreeMap<String, String>) -> BTreeSet<String> {
    let doors = DOORS.map(|(to, port)| format!("{}:{port}", addresses[to]));
    let node_ports = [30101, 30201, 30301, 30686, 30900, 30300];
    let node_ports = node_ports.map(|port| format!("{}:{port}", addresses["node"]));
    let all = doors.into_iter().chain(node_ports);
    answered(all.map(|address| (address.clone(), question(OUTSIDER, &address))).collect()).await
}

#[tokio::test]
async fn a_pod_of_another_namespace_reaches_no_part_neither_directly_nor_by_a_node_port() {
    let Some(_) = enforcing("policies against other namespaces").await else { return };
    let addresses = addresses().await;
    outsider().await;
    let reached = reached_by_outsider(&addresses).await;

    // The same questions with a policy that lets the outsider in: otherwise a probe
    // that reaches nothing at all would pass for a policy that works.
    let open = json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": { "name": "open-for-a-test" },
        "spec": { "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{ "from": [
            { "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": OUTSIDER } } }
        ]}]},
    });
    let apply = format!("echo '{open}' | kubectl --namespace campuscafe apply --filename -");
    done(&["bash", "-c", &apply]).await;
    let all = DOORS.len() + 6;
    let control = eventually("a policy that opens everything takes effect", || async {
        let reached = reached_by_outsider(&addresses).await;
        (reached.len() == all).then_some(reached)
    })
    .await;
    let delete = ["delete", "networkpolicy", "open-for-a-test"];
    done(&[&["kubectl", "--namespace", "campuscafe"][..], &delete].concat()).await;
    done(&["kubectl", "delete", "namespace", OUTSIDER, "--wait=false"]).await;
    assert_eq!(control.len(), all);
    assert!(reached.is_empty(), "a pod of another namespace reached {reached:?}");
}
