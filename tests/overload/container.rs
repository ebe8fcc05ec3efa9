//! A container under test, as the engine and the kernel see it.

use std::fs::read_to_string;

use serde_json::Value;
use tokio::process::Command;

const SERVICES: [&str; 3] = ["order", "inventory", "lab"];

pub(crate) struct Container {
    pub(crate) service: &'static str,
    pub(crate) id: String,
    pub(crate) restarts: u64,
    pub(crate) out_of_memory: bool,
    /// Bytes that it may take.
    pub(crate) limit: u64,
    /// The most bytes that it took so far; the kernel's own memory for its sockets
    /// and the files that it read are in it.
    pub(crate) peak: u64,
}

impl Container {
    /// Its address in the network of the project.
    pub(crate) async fn address(service: &str) -> String {
        let id = run(&["docker", "compose", "ps", "--quiet", service]).await;
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        run(&["docker", "inspect", "--format", format, id.trim()]).await.trim().to_owned()
    }

    pub(crate) async fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for service in SERVICES {
            all.push(Self::of(service).await);
        }
        all
    }

    pub(crate) async fn of(service: &'static str) -> Self {
        let id = run(&["docker", "compose", "ps", "--all", "--quiet", service]).await;
        let id = id.trim().to_owned();
        let about: Value =
            serde_json::from_str(&run(&["docker", "inspect", &id]).await).expect("JSON");
        let about = &about[0];
        let pid = about["State"]["Pid"].as_u64().unwrap_or_default();
        Self {
            service,
            restarts: about["RestartCount"].as_u64().unwrap_or_default(),
            out_of_memory: about["State"]["OOMKilled"].as_bool().unwrap_or_default(),
            limit: about["HostConfig"]["Memory"].as_u64().expect("a limit"),
            peak: peak(pid).unwrap_or_else(|| panic!("the kernel tells no peak of {service}")),
            id,
        }
    }
}

/// From the control group of a process: version 2 has `memory.peak`, version 1 has
/// `memory.max_usage_in_bytes`.
fn peak(pid: u64) -> Option<u64> {
    let groups = read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let file = |line: &str| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        match controllers {
            "" => Some(format!("/sys/fs/cgroup{path}/memory.peak")),
            "memory" => Some(format!("/sys/fs/cgroup/memory{path}/memory.max_usage_in_bytes")),
            _ => None,
        }
    };
    let files = groups.lines().filter_map(file);
    files.filter_map(|file| read_to_string(file).ok()?.trim().parse().ok()).next()
}

async fn run(line: &[&str]) -> String {
    let output = Command::new(line[0]).args(&line[1..]).output().await.expect("it starts");
    assert!(output.status.success(), "{line:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
