//! The programs that containers and clusters need.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use which::which;

use super::Profile;
use super::check::Check;

/// How long Docker may take to answer. A client waits for ever for an engine that hangs.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The first Compose that accepts everything in our files.
const OLDEST_COMPOSE: (u32, u32) = (2, 20);

const GET_DOCKER: &str = "see https://docs.docker.com/get-started/get-docker/";
const GET_KUBECTL: &str = "see https://kubernetes.io/docs/tasks/tools/";
const GET_KIND: &str = "see https://kind.sigs.k8s.io/docs/user/quick-start/#installation";

/// On a desktop the engine belongs to an application.
const START_ENGINE: &str =
    if cfg!(target_os = "linux") { "sudo systemctl start docker" } else { "docker desktop start" };

pub(super) async fn examine(profile: Profile) -> Vec<Check> {
    match profile {
        Profile::Lab => Vec::new(),
        Profile::Compose => {
            let (engine, compose) = tokio::join!(engine(), compose());
            vec![engine, compose]
        }
        Profile::Kind => {
            vec![engine().await, installed("kubectl", GET_KUBECTL), installed("kind", GET_KIND)]
        }
    }
}

fn installed(program: &str, fix: &str) -> Check {
    match which(program) {
        Ok(path) => Check::ok(program, path.display().to_string()),
        Err(_) => Check::bad(program, "not found", fix),
    }
}

/// Docker's client alone runs no container, so this asks for the engine's version.
async fn engine() -> Check {
    const NAME: &str = "docker";
    if which("docker").is_err() {
        return Check::bad(NAME, "not found", GET_DOCKER);
    }
    match docker(&["version", "--format", "{{.Server.Version}}"]).await {
        Ok(version) => Check::ok(NAME, version),
        Err(why) => Check::bad(NAME, format!("its engine does not answer: {why}"), START_ENGINE),
    }
}

async fn compose() -> Check {
    const NAME: &str = "docker compose";
    if which("docker").is_err() {
        return Check::bad(NAME, "not found", GET_DOCKER);
    }
    match docker(&["compose", "version", "--short"]).await {
        Ok(version) if is_old(&version) => {
            let (major, minor) = OLDEST_COMPOSE;
            Check::bad(NAME, format!("{version} is older than {major}.{minor}"), GET_DOCKER)
        }
        Ok(version) => Check::ok(NAME, version),
        Err(why) => Check::bad(NAME, format!("cannot be used: {why}"), GET_DOCKER),
    }
}

/// What docker writes on stdout, or the first line that says why it fails.
async fn docker(arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new("docker");
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(TIMEOUT, command.output())
        .await
        .map_err(|_| format!("no answer within {TIMEOUT:?}"))?
        .map_err(|error| error.to_string())?;
    let text = if output.status.success() { output.stdout } else { output.stderr };
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    if output.status.success() { Ok(line.to_owned()) } else { Err(line.to_owned()) }
}

/// Whether a version such as `v2.17.2-desktop.1` is too old. What is no version is not.
fn is_old(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map_while(|n| n.parse().ok());
    numbers.next().zip(numbers.next()).is_some_and(|found| found < OLDEST_COMPOSE)
}

#[cfg(test)]
mod tests {
    use super::is_old;

    #[test]
    fn versions_of_compose_are_compared_as_numbers() {
        for (version, expected) in [
            ("2.17.2", true),
            ("v2.3.0-desktop.1", true),
            ("1.29.2", true),
            ("2.20.0", false),
            ("v2.20.3-desktop.1", false),
            ("5.1.0", false),
            ("dev", false),
        ] {
            assert_eq!(is_old(version), expected, "{version}");
        }
    }
}
