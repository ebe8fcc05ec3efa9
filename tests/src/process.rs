//! A program under test.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, ChildStderr, Command};

use crate::checkout::binary;
use crate::pid::{children, signal};
use crate::wait::{DEADLINE, eventually};

/// A running program; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdout: Lines,
    stderr: Lines,
    /// What it writes to, while nobody reads it.
    unread: Option<ChildStderr>,
}

type Lines = Arc<Mutex<Vec<String>>>;

impl Process {
    /// Starts a program with nothing in its environment but these variables.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut process = Self::start_with_unread_stderr(program, arguments, environment);
        process.read_stderr();
        process
    }

    /// Starts a program that writes to a pipe which nobody reads, until
    /// [`Process::read_stderr`] does.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start_with_unread_stderr(
        program: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        Self::spawn(&mut command(program, arguments, environment))
    }

    /// Starts a program as a shell in a terminal does: in a process group of
    /// its own, which [`Process::signal_group`] reaches as Ctrl-C would.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start_in_group(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = command(program, arguments, environment);
        #[cfg(unix)]
        command.process_group(0);
        Self::of(command)
    }

    /// Starts a command with what it says of its arguments and its environment.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn of(mut command: Command) -> Self {
        let mut process = Self::spawn(&mut command);
        process.read_stderr();
        process
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let stdout = collect(child.stdout.take().expect("piped"));
        let unread = child.stderr.take();
        Self { child, stdout, stderr: Lines::default(), unread }
    }

    /// From now on stderr is read.
    pub fn read_stderr(&mut self) {
        if let Some(pipe) = self.unread.take() {
            self.stderr = collect(pipe);
        }
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
        self.ended_within(DEADLINE).await
    }

    /// The same, for what may take longer than anything of ours.
    ///
    /// # Panics
    ///
    /// At the limit.
    pub async fn ended_within(&mut self, limit: Duration) -> ExitStatus {
        let ended = tokio::time::timeout(limit, self.child.wait()).await;
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
    ///
    /// # Panics
    ///
    /// At the deadline, and when the program ends without such a line.
    pub async fn said<T>(&mut self, what: &str, look: impl Fn(&str) -> Option<T>) -> T {
        let lines = self.stdout.clone();
        self.wrote(&lines, what, look).await
    }

    /// Waits for a line on stderr that `look` makes something of.
    ///
    /// # Panics
    ///
    /// At the deadline, and when the program ends without such a line.
    pub async fn said_aside<T>(&mut self, what: &str, look: impl Fn(&str) -> Option<T>) -> T {
        let lines = self.stderr.clone();
        self.wrote(&lines, what, look).await
    }

    async fn wrote<T>(&mut self, lines: &Lines, what: &str, look: impl Fn(&str) -> Option<T>) -> T {
        eventually(what, || {
            // Asked before the lines are: its last ones may come with its end.
            let ended = self.child.try_wait().ok().flatten();
            let found = lock(lines).iter().find_map(|line| look(line));
            if let (None, Some(status)) = (&found, ended) {
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

fn command(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(binary(program));
    // An experiment must not use a café that happens to be open on this machine.
    command.args(arguments).env_clear().env("OWN_SERVICES", "true");
    // Tests send many requests at one time to programs that are slow, beside each other.
    command.envs([("ORDER_MAX_WAIT", "1m"), ("INVENTORY_MAX_WAIT", "1m")]);
    command.envs(environment.iter().copied());
    command
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
