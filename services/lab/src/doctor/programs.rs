//! The programs that containers and clusters need.

use std::fmt;
use std::io::ErrorKind;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::Way;
use super::check::{Check, Verdict};

/// How long a program may take to say its version; an engine that hangs takes for ever.
const LIMIT: Duration = Duration::from_secs(3);

/// The first Compose that takes everything that our files use.
const OLDEST_COMPOSE: Version = Version(2, 20, 0);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Docker,
    Compose,
    Kubectl,
    Kind,
}

impl Program {
    const ALL: [Self; 4] = [Self::Docker, Self::Compose, Self::Kubectl, Self::Kind];

    const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Compose => "docker compose",
            Self::Kubectl => "kubectl",
            Self::Kind => "kind",
        }
    }

    /// Docker's client alone runs nothing, so its engine is asked.
    const fn question(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Docker => ("docker", &["version", "--format", "{{.Server.Version}}"]),
            Self::Compose => ("docker", &["compose", "version"]),
            Self::Kubectl => ("kubectl", &["version", "--client"]),
            Self::Kind => ("kind", &["version"]),
        }
    }

    const fn where_to_get(self) -> &'static str {
        match self {
            Self::Docker | Self::Compose => "see https://docs.docker.com/get-started/get-docker/",
            Self::Kubectl => "see https://kubernetes.io/docs/tasks/tools/",
            Self::Kind => "see https://kind.sigs.k8s.io/docs/user/quick-start/#installation",
        }
    }

    const fn is_needed(self, way: Way) -> bool {
        match way {
            Way::Lab => false,
            Way::Compose => matches!(self, Self::Docker | Self::Compose),
            Way::Kind => matches!(self, Self::Docker | Self::Kubectl | Self::Kind),
        }
    }
}

/// What came of asking a program for its version.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Run {
    Missing,
    Silent,
    /// With what it said about it.
    Failed(String),
    Said(String),
}

pub(super) async fn examine(way: Way) -> Vec<Check> {
    let running = Program::ALL.map(|program| (program, tokio::spawn(run(program))));
    let mut checks = Vec::new();
    for (program, run) in running {
        let run = run.await.unwrap_or_else(|error| Run::Failed(error.to_string()));
        let needed = program.is_needed(way);
        checks.push(verdict(program, needed, &run).of(program.name(), needed));
    }
    checks
}

async fn run(program: Program) -> Run {
    let (name, arguments) = program.question();
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    match tokio::time::timeout(LIMIT, command.output()).await {
        Err(_) => Run::Silent,
        Ok(Err(error)) if error.kind() == ErrorKind::NotFound => Run::Missing,
        Ok(Err(error)) => Run::Failed(error.to_string()),
        Ok(Ok(output)) if output.status.success() => {
            Run::Said(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(Ok(output)) => {
            let complaint = String::from_utf8_lossy(&output.stderr);
            let line = complaint.lines().find(|line| !line.trim().is_empty());
            Run::Failed(line.unwrap_or_default().trim().to_owned())
        }
    }
}

fn verdict(program: Program, needed: bool, run: &Run) -> Verdict {
    let bad = |found: String, mend: &str| Verdict::bad_if(needed, found, mend);
    let get = program.where_to_get();
    match (program, run) {
        (_, Run::Missing) => bad("not found".to_owned(), get),
        (Program::Docker, Run::Silent) => {
            bad(format!("its engine does not answer within {LIMIT:?}"), START_ENGINE)
        }
        (Program::Docker, Run::Failed(why)) => {
            bad(format!("its engine does not answer: {why}"), START_ENGINE)
        }
        (_, Run::Silent) => bad(format!("does not answer within {LIMIT:?}"), get),
        (_, Run::Failed(why)) => bad(format!("cannot be used: {why}"), get),
        (_, Run::Said(text)) => match version(text) {
            None => bad("says no version".to_owned(), get),
            Some(version) if program == Program::Compose && version < OLDEST_COMPOSE => {
                bad(format!("{version} is older than {OLDEST_COMPOSE}"), get)
            }
            Some(version) => Verdict::ok(version.to_string()),
        },
    }
}

/// On a desktop the engine comes with an application, which has no such command.
const START_ENGINE: &str =
    if cfg!(target_os = "linux") { "sudo systemctl start docker" } else { "docker desktop start" };

/// Major, minor, patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32, u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(major, minor, patch) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// The first version in a text, with whatever before and after.
fn version(text: &str) -> Option<Version> {
    text.split(|c: char| c.is_whitespace() || ['"', ',', '+', '-'].contains(&c)).find_map(|word| {
        let mut numbers = word.trim_start_matches('v').split('.').map(str::parse);
        let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
            return None;
        };
        let patch = numbers.next().unwrap_or(Ok(0)).ok()?;
        Some(Version(major, minor, patch))
    })
}

#[cfg(test)]
mod tests {
    use super::super::check::Status;
    use super::*;

    #[test]
    fn a_version_is_found_in_what_each_program_says() {
        for (text, expected) in [
            ("Docker Compose version v2.20.3-desktop.1\n", Some("2.20.3")),
            ("Docker Compose version 5.5.1", Some("5.5.1")),
            ("5.5.1", Some("5.5.1")),
            ("20.10.24+dfsg1\n", Some("20.10.24")),
            ("27.0", Some("27.0.0")),
            ("kind v0.30.0 go1.24.6 linux/amd64", Some("0.30.0")),
            ("kind v0.31.0-alpha+abc go1.24.6", Some("0.31.0")),
            ("Client Version: v1.32.4\nKustomize Version: v5.5.0\n", Some("1.32.4")),
            ("version.Info{Major:\"1\", Minor:\"20\", GitVersion:\"v1.20.0\"}", Some("1.20.0")),
            ("no version", None),
            ("v1", None),
            ("1.x", None),
            ("99999999999.1", None),
            ("", None),
        ] {
            let found = version(text).map(|version| version.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(Version(2, 3, 0) < OLDEST_COMPOSE && Version(5, 0, 0) > OLDEST_COMPOSE);
    }

    #[test]
    fn each_way_needs_its_programs() {
        let needed = |way| Program::ALL.map(|program| program.is_needed(way));
        assert_eq!(needed(Way::Lab), [false; 4]);
        assert_eq!(needed(Way::Compose), [true, true, false, false]);
        assert_eq!(needed(Way::Kind), [true, false, true, true]);
    }

    #[test]
    fn what_is_missing_is_bad_only_if_it_is_needed() {
        let said = |text: &str| Run::Said(text.to_owned());
        let failed = |text: &str| Run::Failed(text.to_owned());
        for (program, run, found, mend) in [
            (Program::Docker, Run::Missing, "not found", "get-docker"),
            (Program::Kubectl, Run::Missing, "not found", "kubernetes.io/docs/tasks/tools"),
            (Program::Kind, Run::Missing, "not found", "kind.sigs.k8s.io"),
            (
                Program::Docker,
                failed("no daemon"),
                "its engine does not answer: no daemon",
                "start",
            ),
            (Program::Docker, Run::Silent, "its engine does not answer within 3s", "start"),
            (Program::Compose, failed("what?"), "cannot be used: what?", "get-docker"),
            (Program::Compose, said("v2.19.9"), "2.19.9 is older than 2.20.0", "get-docker"),
            (Program::Kind, Run::Silent, "does not answer within 3s", "kind.sigs.k8s.io"),
            (Program::Kind, said("hello"), "says no version", "kind.sigs.k8s.io"),
        ] {
            let bad = verdict(program, true, &run);
            assert_eq!((bad.status, bad.found.as_str()), (Status::Bad, found), "{run:?}");
            assert!(bad.mend.as_ref().unwrap().contains(mend), "{bad:?}");
            assert_eq!(verdict(program, false, &run), Verdict::note(found));
        }
        let fine = verdict(Program::Compose, true, &said("Docker Compose version v2.20.0"));
        assert_eq!(fine, Verdict::ok("2.20.0"));
    }
}
