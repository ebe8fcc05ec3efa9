//! Processes by their ids.

use std::path::Path;
use std::process::Command;

use crate::wait::eventually;

/// The processes that a process started and that still run, oldest first.
#[must_use]
pub fn children(pid: u32) -> Vec<u32> {
    // Any of its threads may have started them.
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    let lists = threads
        .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("children")).ok());
    let mut all: Vec<u32> = lists
        .flat_map(|list| {
            list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()
        })
        .collect();
    all.sort_unstable();
    all
}

/// Whether a process has not ended, or has and nobody has taken note of it.
#[must_use]
pub fn is_running(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// Waits until none of these processes is left.
///
/// # Panics
///
/// At the deadline.
pub async fn gone(pids: &[u32]) {
    eventually("the end of the processes", || {
        let alive = pids.iter().any(|pid| is_running(*pid));
        std::future::ready((!alive).then_some(()))
    })
    .await;
}

/// Sends a signal by its name to a process, or to a group by its negative id.
///
/// # Panics
///
/// When there is none.
pub fn signal(pid: &str, name: &str) {
    let arguments = [&format!("-{name}"), "--", pid];
    let status = Command::new("kill").args(arguments).status().expect("kill runs");
    assert!(status.success(), "nothing to signal at {pid}");
}
