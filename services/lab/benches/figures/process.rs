//! A whole café as a user starts it, seen from outside.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telemetry {
    /// Spans to the lab, counters, a log line per decision.
    Full,
    /// Counters only: they cannot be switched off.
    Off,
}

pub(crate) struct Cafe {
    child: Child,
    pub(crate) order: String,
    pub(crate) lab: String,
    pub(crate) ready_after: Duration,
    idle: Vec<(&'static str, f64)>,
}

impl Cafe {
    pub(crate) fn open(telemetry: Telemetry) -> Self {
        Self::open_with(telemetry, &[])
    }

    pub(crate) fn open_with(telemetry: Telemetry, settings: &[(&str, &str)]) -> Self {
        let any = "127.0.0.1:0";
        let mut command = Command::new(env!("CARGO_BIN_EXE_campuscafe"));
        command
            .envs([("LAB_LISTEN", any), ("ORDER_LISTEN", any), ("INVENTORY_LISTEN", any)])
            .env("INVENTORY_STOCK", "cake=1000000000")
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if telemetry == Telemetry::Off {
            command.env("OTEL_SDK_DISABLED", "true").env("RUST_LOG", "off");
        }
        let begun = Instant::now();
        let mut child = command.spawn().expect("starts");
        let (mut order, mut lab) = (String::new(), String::new());
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        for line in lines.by_ref().map_while(Result::ok) {
            let mut words = line.split_whitespace();
            let found = match words.next() {
                Some("order") => &mut order,
                Some("lab") => &mut lab,
                _ => continue,
            };
            words.next().expect("an address").clone_into(found);
            if !order.is_empty() && !lab.is_empty() {
                break;
            }
        }
        let ready_after = begun.elapsed();
        let mut cafe = Self { child, order, lab, ready_after, idle: Vec::new() };
        cafe.idle =
            cafe.processes().into_iter().map(|(name, pid)| (name, resident_mb(pid))).collect();
        cafe
    }

    /// The lab and the two services that it started, in that order.
    pub(crate) fn processes(&self) -> Vec<(&'static str, u32)> {
        let lab = self.child.id();
        let path = format!("/proc/{lab}/task/{lab}/children");
        let children = std::fs::read_to_string(path).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        ["lab", "inventory", "order"]
            .into_iter()
            .zip(std::iter::once(lab).chain(children))
            .collect()
    }

    /// Resident memory right after the start.
    pub(crate) fn idle_mb(&self, name: &str) -> f64 {
        self.idle.iter().find(|(found, _)| *found == name).map_or(f64::NAN, |(_, mb)| *mb)
    }
}

impl Drop for Cafe {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// The memory that a process has.
pub(crate) fn resident_mb(pid: u32) -> f64 {
    status_mb(pid, "VmRSS:")
}

/// The most memory a process ever had.
pub(crate) fn peak_mb(pid: u32) -> f64 {
    status_mb(pid, "VmHWM:")
}

/// A process's own memory, and its share of what it shares.
pub(crate) fn proportional_mb(pid: u32) -> f64 {
    kib_mb(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
}

fn status_mb(pid: u32, key: &str) -> f64 {
    kib_mb(&format!("/proc/{pid}/status"), key)
}

fn kib_mb(path: &str, key: &str) -> f64 {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib * 1024.0 / 1e6)
}
