//! What only Docker Compose can show: how containers are confined, what images
//! are made of, what its own tools say about our files.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use campuscafe_tests::{eventually, root};
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
    assert_eq!(all.len(), 7);
    for (service, one) in &all {
        let host = &one["HostConfig"];
        assert_eq!(one["State"]["Health"]["Status"], "healthy", "{service}");
        let ports = host["PortBindings"].as_object().unwrap().values();
        for binding in ports.flat_map(|bindings| bindings.as_array().unwrap()) {
            assert_eq!(binding["HostIp"], "127.0.0.1", "{service}");
        }
        let name = one["Name"].as_str().unwrap();
        assert!(name.contains("campuscafe-test-"), "{name}: a fixed name would collide");
        assert_confined(service, one, &granted(one["Id"].as_str().unwrap()).await);
    }
}

/// What the kernel grants to the first process of a container, whatever the
/// engine was told. Ours have no program to look with, so somebody else looks.
async fn granted(container: &str) -> String {
    let of = async |what: &str| {
        done(&["docker", "inspect", "--format", what, container]).await.trim().to_owned()
    };
    let user = of("{{.Config.User}}").await;
    let image = done(&["docker", "compose", "images", "--format", "json", "prometheus"]).await;
    let image: Value = serde_json::from_str(&image).unwrap();
    let image = image[0]["ID"].as_str().unwrap().to_owned();
    // A user with a name is one of its own image only.
    let by_number = user.starts_with(|first: char| first.is_ascii_digit());
    let image = if by_number { image } else { of("{{.Image}}").await };
    let pid = format!("container:{container}");
    // The same user: others may not read where things are mounted.
    let look = ["docker", "run", "--rm", "--network", "none", "--user", &user];
    let look = [&look[..], &["--pid", &pid, "--entrypoint", "cat"]].concat();
    let files = ["/proc/1/status", "/proc/1/mountinfo"];
    done(&[&look[..], &[&image], &files].concat()).await
}

/// Confined by what the engine was told, and by what the kernel does.
fn assert_confined(service: &str, container: &Value, granted: &str) {
    let host = &container["HostConfig"];
    assert_eq!(host["Privileged"], false, "{service}");
    assert!(host["Memory"].as_u64().is_some_and(|limit| limit > 0), "{service}: no limit");
    let is = |name: &str| {
        let line = granted.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{service}: no {name}: {granted}")).trim()
    };
    for set in ["CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(is(set), "0000000000000000", "{service}: {set}");
    }
    assert_eq!(is("NoNewPrivs:"), "1", "{service}");
    assert!(is("Uid:").split_whitespace().all(|uid| uid != "0"), "{service} runs as root");
    // ID, parent, device, root, mount point, options.
    let mounts = granted.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let root = mounts.into_iter().find(|mount| mount.get(4) == Some(&"/") && mount.len() > 5);
    let options = root.unwrap_or_else(|| panic!("{service}: no root: {granted}"))[5];
    assert!(options.split(',').any(|option| option == "ro"), "{service}: / is {options}");
}

/// docker-compose.yml as Compose understands it in a shell where nothing is set.
async fn understood(arguments: &[&str]) -> Value {
    let path = std::env::var("PATH").unwrap();
    let path = format!("PATH={path}");
    let home = format!("HOME={}", std::env::var("HOME").unwrap_or_default());
    let clean = ["env", "-i", &path, &home, "docker", "compose"];
    let said = run(&[&clean[..], arguments, &["config", "--format", "json"]].concat()).await;
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{arguments:?}");
    serde_json::from_str(&said.out).unwrap()
}

#[tokio::test]
async fn without_env_everything_has_the_value_that_the_example_shows() {
    let Some(_) = Stack::only_on(Kind::Compose, "without .env") else { return };
    let load = ["--profile", "load"];
    let without = understood(&[&["--env-file", "/dev/null"], &load[..]].concat()).await;
    let example = understood(&[&["--env-file", ".env.example"], &load[..]].concat()).await;
    assert_eq!(without, example, "no warning, and no other value");
    let memory = without["services"].as_object().unwrap().values();
    // Compose writes the number as text.
    let memory = memory.map(|one| one["mem_limit"].as_str().unwrap().parse::<u64>().unwrap());
    let memory: u64 = memory.sum();
    assert!(memory < 2_200_000_000, "{memory} bytes; the README promises 2.2 GB");
}

#[tokio::test]
async fn without_the_database_nothing_of_it_is_left_and_less_memory_is_needed() {
    let Some(_) = Stack::only_on(Kind::Compose, "without a database") else { return };
    let files = ["-f", "docker-compose.yml", "-f", "deploy/compose.memory.yml"];
    let load = ["--env-file", "/dev/null", "--profile", "load"];
    let without = understood(&[&files[..], &load].concat()).await;
    let services = without["services"].as_object().unwrap();
    let names: Vec<_> = services.keys().map(String::as_str).collect();
    let expected = ["grafana", "inventory", "jaeger", "lab", "load", "order", "prometheus"];
    assert_eq!(names, expected);
    for service in ["inventory", "order"] {
        assert_eq!(services[service]["environment"]["DATABASE_URL"], "", "{service}");
    }
    let memory = services.values().map(|one| one["mem_limit"].as_str().unwrap().parse::<u64>());
    let memory: u64 = memory.map(Result::unwrap).sum();
    assert!(memory < 1_900_000_000, "{memory} bytes; the README promises 1.9 GB");
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
        assert!(size < 20_000_000, "{service}: {size} bytes");
        assert_eq!(image[0]["Config"]["User"], "65532:65532", "{service}");
        assert!(image[0]["Config"]["Healthcheck"].is_object(), "{service}");
        let labels = image[0]["Config"]["Labels"].as_object().unwrap();
        for label in ["title", "licenses", "revision", "description"] {
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
    let folder = format!("{}:/work:ro", root().join("deploy/prometheus").display());
    let test = ["docker", "compose", "--progress", "quiet", "run", "--rm", "--no-deps", "-T"];
    // promtool writes where it can, and only the volume can be written to.
    let test = [&test[..], &["--env", "TMPDIR=/prometheus"]].concat();
    let test =
        [&test[..], &["--volume", &folder, "--workdir", "/work", "--entrypoint", "promtool"]];
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
        // OpenTelemetry's name: db.client.connection.count.
        let known = "db_client_connection_count non-histogram and non-summary metrics should not have \"_count\" suffix";
        let new: Vec<_> = said.lines().filter(|line| *line != known).collect();
        assert!(new.is_empty(), "{service}: {new:?}");
    }
}

#[tokio::test]
async fn a_second_project_runs_beside_the_first() {
    let Some(stack) = Stack::only_on(Kind::Compose, "a second project") else { return };
    let first = stack.reservations().await;
    // The script takes a project name and ports of its own.
    let order = "curl -sf \"$ORDER_URL/orders\" -H 'content-type: application/json' \
                 -d '{\"itemId\":\"cake\",\"quantity\":1}' && curl -sf \"$INVENTORY_URL/inventory/state\"";
    let order = format!("{order} && echo \"project=$COMPOSE_PROJECT_NAME\"");
    let said = done(&["scripts/with-compose", "bash", "-c", &order]).await;
    assert!(
        said.contains("\"outcome\":\"confirmed\"") && said.contains("\"reservations\":1"),
        "{said}"
    );
    assert_eq!(stack.reservations().await, first, "the first one's stock is its own");
    stack.reset().await;
    assert_eq!(stack.order("none", false).await["outcome"], "confirmed");
    nothing_is_left_of(&said).await;
}

/// The engine's name for each container, by its service.
fn ids(containers: &[(String, Value)]) -> BTreeMap<String, Value> {
    containers.iter().map(|(service, one)| (service.clone(), one["Id"].clone())).collect()
}

/// The alerts that fire now.
async fn alerts(stack: &Stack) -> BTreeSet<String> {
    let firing = stack.query("ALERTS{alertstate=\"firing\"}").await;
    firing.iter().map(|(labels, _)| labels["alertname"].as_str().unwrap().to_owned()).collect()
}

/// By its name this runs before any test does something wrong on purpose. Later,
/// alerts of other tests fire, and it could not see one that the load raises.
#[tokio::test]
async fn the_load_is_confined_like_the_rest_and_alone_it_raises_no_alert() {
    let Some(stack) = Stack::only_on(Kind::Compose, "the load's profile") else { return };
    let (alerts_before, parts_before) = (alerts(&stack).await, ids(&containers().await));
    let before = stack.order_count().await;
    let compose = ["docker", "compose", "--progress", "quiet", "--profile", "load"];
    // Not with new images either, if somebody has built some meanwhile.
    let up = ["up", "--detach", "--wait", "--no-recreate", "load"];
    done(&[&["env", "LOAD_MIX=none=1"], &compose[..], &up].concat()).await;
    // At twenty a second this is ten seconds.
    eventually("orders all the time", || async {
        (stack.order_count().await >= before + 200.0).then_some(())
    })
    .await;
    let alerts_after = alerts(&stack).await;
    let all = containers().await;
    let (_, load) = all.iter().find(|(service, _)| service == "load").expect("a load");
    let granted = granted(load["Id"].as_str().unwrap()).await;
    // Before anything is asserted: other tests need it to be over.
    done(&[&compose[..], &["rm", "--stop", "--force", "load"]].concat()).await;
    let new: Vec<_> = alerts_after.difference(&alerts_before).collect();
    assert!(new.is_empty(), "nothing is wrong, and {new:?} fires");
    assert_eq!(load["RestartCount"], 0, "it does not die and come back");
    assert_confined("load", load, &granted);
    let mut parts_after = ids(&all);
    parts_after.remove("load");
    assert_eq!(parts_after, parts_before, "and nothing else started, ended or was replaced");
}

/// The counter and the alert that say "one customer, two cakes" must move where
/// people look, and not only in an experiment.
#[tokio::test]
async fn slow_orders_of_the_load_count_as_duplicates_and_fire_the_alert() {
    let Some(stack) = Stack::only_on(Kind::Compose, "duplicates of the load") else { return };
    let duplicates = "sum(inventory_duplicate_reservations_total)";
    let before = stack.value(duplicates).await;
    let compose = ["docker", "compose", "--progress", "quiet", "--profile", "load"];
    let up = ["up", "--detach", "--wait", "--no-recreate", "load"];
    done(&[&["env", "LOAD_MIX=none=80,slow=20"], &compose[..], &up].concat()).await;
    let alert = eventually("duplicates and their alert", || async {
        let counted = stack.value(duplicates).await >= before + 5.0;
        (counted && alerts(&stack).await.contains("DoubleReservation")).then_some(())
    });
    alert.await;
    done(&[&compose[..], &["rm", "--stop", "--force", "load"]].concat()).await;
    // Later tests count single orders: nothing of the load may commit any more.
    eventually("an inventory with no work under way", || async {
        (stack.value("sum(inventory_work_in_progress)").await == 0.0).then_some(())
    })
    .await;
}

/// Neither a container nor a volume nor a network of the project that `said` names.
async fn nothing_is_left_of(said: &str) {
    let project = said.lines().find_map(|line| line.split_once("project=")).expect("a project").1;
    let label = format!("label=com.docker.compose.project={project}");
    for what in [&["ps", "--all"][..], &["volume", "ls"], &["network", "ls"]] {
        let list = [&["docker"], what, &["--quiet", "--filter", &label]].concat();
        assert_eq!(done(&list).await, "", "{}", list.join(" "));
    }
}

#[tokio::test]
async fn a_command_that_fails_beside_a_cafe_of_its_own_says_so_and_leaves_nothing() {
    let Some(_) = Stack::only_on(Kind::Compose, "a command that fails") else { return };
    let fails = "echo project=$COMPOSE_PROJECT_NAME; exit 7";
    let said = run(&["scripts/with-compose", "bash", "-c", fails]).await;
    assert_eq!(said.code, Some(7), "{}", said.err);
    assert!(said.err.contains("(healthy)"), "what ran is listed: {}", said.err);
    nothing_is_left_of(&said.out).await;
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
