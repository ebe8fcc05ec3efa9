//! A program under test.

use std::path::PathBuf;
use std::process::{Command as StdCommand, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use crate::wait::{DEADLINE, eventually};

/// A program of the workspace, built from the sources that are being tested.
///
/// # Panics
///
/// When it cannot be built.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(build).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Cargo gives a test the programs of its own package only, so it is asked for
/// the others; where they are up to date this takes a moment.
fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a test is a program");
    let directory = test.ancestors().nth(2).expect("target/PROFILE/deps/test").to_owned();
    let mut cargo = StdCommand::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--locked", "--workspace", "--bins"]);
    if directory.ends_with("release") {
        cargo.arg("--release");
    }
    if let Some(target) = directory.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    let status = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo runs");
    assert!(status.success(), "the programs under test do not build");
    directory
}

/// A running program; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdout: Lines,
    stderr: Lines,
}

type Lines = Arc<Mutex<Vec<String>>>;

impl Process {
    /// Starts a program with nothing in its environment but these variables.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::spawn(Command::new(binary(program)), arguments, environment)
    }

    /// Starts a program as a shell in a terminal does: in a process group of
    /// its own, which [`Process::signal_group`] reaches as Ctrl-C would.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start_in_group(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(binary(program));
        #[cfg(unix)]
        command.process_group(0);
        Self::spawn(command, arguments, environment)
    }

    fn spawn(mut command: Command, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = command
            .args(arguments)
            .env_clear()
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let stdout = collect(child.stdout.take().expect("piped"));
        let stderr = collect(child.stderr.take().expect("piped"));
        Self { child, stdout, stderr }
    }

    /// Runs a program to its end: exit code, stdout, stderr.
    pub async fn run(
        program: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> (Option<i32>, String, String) {
        let mut process = Self::start(program, arguments, environment);
        let status = process.ended().await;
        (status.code(), process.stdout(), process.stderr())
    }

    /// The process id.
    ///
    /// # Panics
    ///
    /// When the process has ended.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id().expect("still running")
    }

    /// The processes that it started and that still run, oldest first.
    ///
    /// # Panics
    ///
    /// When the process has ended.
    #[must_use]
    pub fn children(&self) -> Vec<u32> {
        children(self.pid())
    }

    /// Sends a signal by its name, such as `TERM`.
    ///
    /// # Panics
    ///
    /// When the process has ended.
    pub fn signal(&self, name: &str) {
        signal(&self.pid().to_string(), name);
    }

    /// Sends a signal to the program and to whoever is in its process group.
    ///
    /// # Panics
    ///
    /// When the process has ended.
    pub fn signal_group(&self, name: &str) {
        signal(&format!("-{}", self.pid()), name);
    }

    /// Waits for its end, and for the end of what it and its children say.
    ///
    /// # Panics
    ///
    /// At the deadline.
    pub async fn ended(&mut self) -> ExitStatus {
        let ended = tokio::time::timeout(DEADLINE, self.child.wait()).await;
        let status = ended.unwrap_or_else(|_| panic!("it did not end: {}", self.stderr()));
        // The pipes are read by tasks of their own, which may lag behind the end.
        eventually("the end of the output", || {
            let done = [&self.stdout, &self.stderr].iter().all(|to| Arc::strong_count(to) == 1);
            std::future::ready(done.then_some(()))
        })
        .await;
        status.expect("waited")
    }

    /// Waits for a line on stdout that `look` makes something of.
    pub async fn said<T>(&mut self, what: &str, look: impl Fn(&str) -> Option<T>) -> T {
        eventually(what, || {
            let found = lock(&self.stdout).iter().find_map(|line| look(line));
            if found.is_none()
                && let Ok(Some(status)) = self.child.try_wait()
            {
                panic!("ended with {status} before {what}: {}", self.stderr());
            }
            std::future::ready(found)
        })
        .await
    }

    /// Where a service says it listens.
    pub async fn address(&mut self) -> String {
        self.said("its address", |line| Some(line.split_once(" listening on ")?.1.to_owned())).await
    }

    /// Everything on stdout so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        lock(&self.stdout).join("\n")
    }

    /// Everything on stderr so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        lock(&self.stderr).join("\n")
    }
}

/// The processes that a process started and that still run, oldest first.
#[must_use]
pub fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let list = std::fs::read_to_string(path).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Sends a signal by its name to a process, or to a group by its negative id.
///
/// # Panics
///
/// When there is none.
pub fn signal(pid: &str, name: &str) {
    let arguments = [&format!("-{name}"), "--", pid];
    let status = StdCommand::new("kill").args(arguments).status().expect("kill runs");
    assert!(status.success(), "nothing to signal at {pid}");
}

fn lock(lines: &Lines) -> std::sync::MutexGuard<'_, Vec<String>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

fn collect(pipe: impl AsyncRead + Send + Unpin + 'static) -> Lines {
    let lines = Lines::default();
    let into = lines.clone();
    tokio::spawn(async move {
        let mut pipe = BufReader::new(pipe).lines();
        while let Ok(Some(line)) = pipe.next_line().await {
            lock(&into).push(line);
        }
    });
    lines
}
