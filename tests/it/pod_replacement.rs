//! `campuscafe experiment kill` and `rollout`, with processes in place of pods.

use campuscafe_tests::postgres::test_database;
use campuscafe_tests::{Process, ReservedPort};
use serde_json::Value;

const ANY: &str = "127.0.0.1:0";

/// A lab that keeps spans, and both services, each of which can be replaced by
/// a new process at the same address.
struct Cluster {
    lab: String,
    _lab: Process,
    inventory: (String, Process),
    order: (String, Process),
    /// The inventory's and the order service's: what ends leaves its port to what replaces it.
    ports: [ReservedPort; 2],
}

impl Cluster {
    /// With the stock in memory.
    async fn start() -> Self {
        Self::with_database("").await
    }

    async fn with_database(url_of_database: &str) -> Self {
        let mut lab = Process::start(
            "campuscafe",
            &["up", "--order-url", "http://127.0.0.1:1", "--inventory-url", "http://127.0.0.1:1"],
            &[("LAB_LISTEN", ANY)],
        );
        let url = lab
            .said("the lab's address", |line| {
                let mut words = line.split_whitespace();
                (words.next() == Some("lab")).then(|| words.next().map(str::to_owned))?
            })
            .await;
        let ports = [ReservedPort::take(), ReservedPort::take()];
        let address = ports[0].address();
        let inventory = inventory(&address, &url, "inventory-old", url_of_database).await;
        let order = order(&ports[1].address(), &url, &inventory.0, "order-old").await;
        Self { lab: url, _lab: lab, inventory, order, ports }
    }

    /// A reservation that is no part of the experiment.
    async fn reserve_coffee(&self) -> reqwest::Response {
        let wish = serde_json::json!({"itemId": "coffee", "quantity": 1});
        let url = format!("{}/inventory/reserve", self.inventory.0);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        http.post(url).json(&wish).send().await.unwrap()
    }

    async fn state(&self) -> Value {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/inventory/state", self.inventory.0);
        http.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// An experiment on these services.
    fn experiment(&self, name: &str) -> Process {
        let urls = [
            ("ORDER_URL", self.order.0.as_str()),
            ("INVENTORY_URL", &self.inventory.0),
            ("LAB_URL", &self.lab),
        ];
        Process::start("campuscafe", &["experiment", name, "--json"], &urls)
    }
}

async fn inventory(listen: &str, lab: &str, pod: &str, database: &str) -> (String, Process) {
    let settings = [("INVENTORY_LISTEN", listen), ("DATABASE_URL", database)];
    started("inventory", &settings, lab, pod).await
}

async fn order(listen: &str, lab: &str, inventory: &str, pod: &str) -> (String, Process) {
    // So generous that even on a busy machine no order meets it.
    let limit = ("ORDER_ATTEMPT_TIMEOUT", "20s");
    started("order", &[("ORDER_LISTEN", listen), ("INVENTORY_URL", inventory), limit], lab, pod)
        .await
}

async fn started(name: &str, settings: &[(&str, &str)], lab: &str, pod: &str) -> (String, Process) {
    let instance = format!("service.instance.id={pod}");
    let mut environment =
        vec![("OTEL_EXPORTER_OTLP_ENDPOINT", lab), ("OTEL_RESOURCE_ATTRIBUTES", &instance)];
    environment.extend(settings);
    let mut process = Process::start(name, &[], &environment);
    (process.address().await, process)
}

/// Waits until the experiment asks somebody to act.
async fn asked(experiment: &mut Process, command: &str) {
    experiment.said_aside(command, |line| line.contains(command).then_some(())).await;
}

async fn ended(mut experiment: Process) -> (Option<i32>, Value) {
    let status = experiment.ended().await;
    let text = experiment.stdout();
    (status.code(), serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}")))
}

fn told(finding: &Value, pod: &str) -> Vec<String> {
    let customers = finding["customers"].as_array().unwrap().iter();
    let of_pod = customers.filter(|customer| customer["pod"] == pod);
    of_pod.map(|customer| customer["told"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_killed_inventory_forgets_what_it_told_its_customers() {
    let mut cluster = Cluster::start().await;
    let mut experiment = cluster.experiment("kill");
    asked(&mut experiment, "kubectl --namespace campuscafe delete pod").await;
    cluster.inventory.1.signal("TERM");
    cluster.inventory.1.ended().await;
    let _new = inventory(&cluster.ports[0].address(), &cluster.lab, "inventory-new", "").await;

    let (code, json) = ended(experiment).await;
    assert_eq!(code, Some(0), "{json:#}");
    let finding = &json["findings"][0];
    assert_eq!((&finding["replaced"], &finding["evidence"]), (&true.into(), &"spans".into()));
    let (old, new) = (told(finding, "inventory-old"), told(finding, "inventory-new"));
    assert!(old.len() >= 20 && old.iter().all(|told| told == "confirmed"), "{old:?}");
    assert_eq!(finding["ledger"]["reservations"], new.len(), "it remembers its own");
    assert_eq!(finding["ledger"]["known"], old.len() + new.len(), "all were told yes");
}

#[tokio::test]
async fn an_inventory_with_a_database_knows_after_kill_9_what_it_told_its_customers() {
    let Some(url) = test_database().await else { return };
    let mut cluster = Cluster::with_database(&url).await;
    let somebody_else = cluster.reserve_coffee().await;
    assert_eq!(somebody_else.status(), 200);
    let mut experiment = cluster.experiment("kill");
    asked(&mut experiment, "kubectl --namespace campuscafe delete pod").await;
    cluster.inventory.1.signal("KILL");
    cluster.inventory.1.ended().await;
    let _new = inventory(&cluster.ports[0].address(), &cluster.lab, "inventory-new", &url).await;

    let (code, json) = ended(experiment).await;
    assert_eq!(code, Some(0), "{json:#}");
    let finding = &json["findings"][0];
    assert_eq!(finding["replaced"], true, "{json:#}");
    let old = told(finding, "inventory-old");
    assert!(old.iter().filter(|told| *told == "confirmed").count() >= 20, "{old:?}");
    let number = |name: &str| finding["ledger"][name].as_u64().unwrap();
    let (known, reservations) = (number("known"), number("reservations"));
    // The kill may have come between a commit and its reply.
    let customers = finding["customers"].as_array().unwrap().len() as u64;
    assert!((known..=customers).contains(&reservations), "{known} and {reservations}");
    assert_eq!(cluster.state().await["reservations"], reservations + 1, "and somebody else's");
}

#[tokio::test]
async fn an_order_service_that_is_replaced_in_an_orderly_way_loses_no_customer() {
    let mut cluster = Cluster::start().await;
    let somebody_else = cluster.reserve_coffee().await;
    assert_eq!(somebody_else.status(), 200);
    let mut experiment = cluster.experiment("rollout");
    asked(&mut experiment, "kubectl --namespace campuscafe rollout restart deployment/order").await;
    // A cluster leads customers to the new pod before it ends the old one; two
    // processes cannot share an address, so here some find nobody.
    cluster.order.1.signal("TERM");
    cluster.order.1.ended().await;
    let address = cluster.ports[1].address();
    let _new = order(&address, &cluster.lab, &cluster.inventory.0, "order-new").await;

    let (_, json) = ended(experiment).await;
    let finding = &json["findings"][0];
    assert_eq!(finding["replaced"], true, "{json:#}");
    let old = told(finding, "order-old");
    assert!(old.len() >= 20 && old.iter().all(|told| told == "confirmed"), "{old:?}");
    let known = finding["ledger"]["known"].as_u64().unwrap();
    assert_eq!(finding["ledger"]["reservations"], known, "nobody's order was lost or doubled");
    let state = cluster.state().await;
    assert_eq!(state["reservations"], known + 1, "and nobody else's was forgotten");
    assert_eq!(state["stock"]["cake"], 10, "{state}");
}

#[tokio::test]
async fn an_experiment_for_a_cluster_is_refused_where_there_is_none() {
    let (code, _, said) = Process::run("campuscafe", &["experiment", "kill"], &[]).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--order-url") && said.contains("make kind-up"), "{said}");
}

#[tokio::test]
async fn services_that_do_not_say_which_pod_they_are_are_named_as_the_reason() {
    let cafe = campuscafe_tests::Cafe::open().await;
    let (code, _, said) =
        Process::run("campuscafe", &["experiment", "rollout", "--lab-url", &cafe.lab], &[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("service.instance.id"), "{said}");
}
