//! PostgreSQL for tests: a server of the machine's own, started in a temporary directory.

mod cutting;

use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;
use tokio_postgres::NoTls;

use crate::path::skipped;
use crate::pid::{children, is_running};
use crate::reserved_port::ReservedPort;

pub use cutting::{Cut, Scissors, cutting};

/// Names a server whose user may make databases, in place of one that a test starts.
const URL: &str = "TEST_DATABASE_URL";

/// Where it is set, a test that finds no PostgreSQL fails.
const REQUIRED: &str = "TEST_DATABASE_REQUIRED";

const DEADLINE: Duration = Duration::from_secs(60);

/// A server of one test, which may kill it.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    directory: PathBuf,
    port: ReservedPort,
    fsync: &'static str,
    /// The shell that ends the server when this process ends, however that happens: then its
    /// standard input is closed.
    shell: Option<(Child, ChildStdin)>,
}

impl Postgres {
    /// Starts a server. `None`, and a line that says so, if there is none on this machine.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn start() -> Option<Self> {
        // A process that is killed loses nothing that the system has, and tests are quick.
        Self::start_with("off").await
    }

    /// The same, and each commit waits until the disk has it: for measurements.
    ///
    /// # Panics
    ///
    /// As [`Self::start`].
    pub async fn start_durable() -> Option<Self> {
        Self::start_with("on").await
    }

    async fn start_with(fsync: &'static str) -> Option<Self> {
        let Some(programs) = programs() else {
            no_postgres();
            return None;
        };
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("campuscafe-postgres-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let port = ReservedPort::take();
        let mut server = Self { programs, directory, port, fsync, shell: None };
        let made = server.run(
            r#"mkdir -p "$dir" && "$bin/initdb" -D "$dir/data" -U cafe -A trust -E UTF8 --locale=C --no-sync"#,
        );
        assert!(made.success(), "initdb has failed in {}", server.directory.display());
        server.go_on().await;
        Some(server)
    }

    /// Starts it again after [`Self::kill`], with the data of before.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn go_on(&mut self) {
        let begun = Instant::now();
        loop {
            self.launch();
            if self.answers(begun).await {
                return;
            }
            // Processes of the killed server may still hold its memory.
            self.stop();
            assert!(begun.elapsed() < DEADLINE, "the server does not start: {}", self.log());
        }
    }

    fn launch(&mut self) {
        let script = r#"
            "$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses=127.0.0.1 -p "$port" \
                -c fsync=$fsync -c max_connections=50 >>"$dir/log" 2>&1 &
            server=$!
            cat >/dev/null
            kill -INT $server 2>/dev/null
            wait $server
            [ -e "$dir/kept" ] || rm -rf "$dir""#;
        let mut shell = self.shell(script).stdin(Stdio::piped()).spawn().expect("a shell");
        let input = shell.stdin.take().expect("its input");
        self.shell = Some((shell, input));
    }

    /// Whether it takes connections before its shell has ended or the time is up.
    async fn answers(&self, begun: Instant) -> bool {
        while begun.elapsed() < DEADLINE {
            if tokio_postgres::connect(&self.url("postgres"), NoTls).await.is_ok() {
                return true;
            }
            if self.server().is_none_or(|pid| !is_running(pid))
                && begun.elapsed() > Duration::from_secs(5)
            {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }

    /// One of the programs that come with it, such as `pgbench`.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// The URL of one of its databases.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://cafe@{}/{database}", self.port.address())
    }

    /// An empty database.
    pub async fn database(&self) -> String {
        let name = make_database(&self.url("postgres")).await;
        self.url(&name)
    }

    /// Kills it with SIGKILL, as a crash would: also the processes of its connections, which
    /// would go on for a moment.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn kill(&mut self) {
        assert!(self.server().is_some(), "the server does not run");
        self.signal_all("KILL");
        self.stop();
    }

    /// Stops every process of it for a while, so that it keeps its connections and answers
    /// nothing, until [`Self::thaw`].
    pub fn freeze(&self) {
        self.signal_all("STOP");
    }

    /// See [`Self::freeze`].
    pub fn thaw(&self) {
        self.signal_all("CONT");
    }

    /// Some of its processes may have ended meanwhile, and then there is nothing to signal.
    fn signal_all(&self, name: &str) {
        let Some(server) = self.server() else { return };
        let all = [server].into_iter().chain(children(server)).map(|pid| pid.to_string());
        let mut kill = Command::new("kill");
        let _ = kill.arg(format!("-{name}")).args(all).stderr(Stdio::null()).status();
    }

    fn server(&self) -> Option<u32> {
        let file = std::fs::read_to_string(self.directory.join("data/postmaster.pid")).ok()?;
        file.lines().next()?.parse().ok()
    }

    fn stop(&mut self) {
        if let Some((mut shell, input)) = self.shell.take() {
            let _ = std::fs::write(self.directory.join("kept"), "");
            drop(input);
            let _ = shell.wait();
            let _ = std::fs::remove_file(self.directory.join("kept"));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    fn run(&self, script: &str) -> std::process::ExitStatus {
        self.shell(script).stdout(Stdio::null()).status().expect("a shell")
    }

    /// A shell as a user who may run the server, which refuses to run as root.
    fn shell(&self, script: &str) -> Command {
        let (dir, bin) = (self.directory.display(), self.programs.display());
        let address = self.port.address();
        let port = address.rsplit(':').next().unwrap_or_default();
        let script = format!("dir='{dir}' bin='{bin}' port={port} fsync={}\n{script}", self.fsync);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "sh", "-c", &script]);
            command
        } else {
            let mut command = Command::new("sh");
            command.args(["-c", &script]);
            command
        };
        command.current_dir("/");
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some((mut shell, input)) = self.shell.take() {
            // A test may have failed while it was frozen, and then it could not end.
            self.thaw();
            drop(input);
            let _ = shell.wait();
        } else {
            let _ = self.run(r#"rm -rf "$dir""#);
        }
    }
}

/// An empty database of a server that many tests share, which is that of `TEST_DATABASE_URL` if
/// it is set. `None`, and a line that says so, if there is none.
pub async fn test_database() -> Option<String> {
    static SERVER: OnceCell<Option<Postgres>> = OnceCell::const_new();
    if let Ok(url) = std::env::var(URL) {
        let name = make_database(&url).await;
        let (server, _) = url.rsplit_once('/').expect("a URL with a database");
        return Some(format!("{server}/{name}"));
    }
    let server = SERVER.get_or_init(Postgres::start).await;
    match server {
        Some(server) => Some(server.database().await),
        None => {
            no_postgres();
            None
        }
    }
}

async fn make_database(url: &str) -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("cafe_{}_{number}", std::process::id());
    execute(url, &format!("DROP DATABASE IF EXISTS {name}")).await;
    execute(url, &format!("CREATE DATABASE {name}")).await;
    name
}

/// Lets a server execute a statement.
///
/// # Panics
///
/// When it cannot be reached or refuses.
pub async fn execute(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    drop(client);
    let _ = connection.await;
}

/// The rows that a query gives, each value as text.
///
/// # Panics
///
/// As [`execute`].
pub async fn rows(url: &str, sql: &str) -> Vec<Vec<Option<String>>> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    let connection = tokio::spawn(connection);
    let found = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    drop(client);
    let _ = connection.await;
    let rows = found.into_iter().filter_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
        }
        _ => None,
    });
    rows.collect()
}

fn no_postgres() {
    let why = "PostgreSQL is not on this machine: expected initdb and postgres on PATH or under \
               /usr/lib/postgresql, or TEST_DATABASE_URL";
    assert!(std::env::var_os(REQUIRED).is_none(), "{why}");
    skipped(why);
}

/// The directory of the newest server on this machine.
fn programs() -> Option<PathBuf> {
    let has_both = |directory: &Path| {
        ["initdb", "postgres"].iter().all(|program| directory.join(program).is_file())
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(directory) = std::env::split_paths(&path).find(|it| has_both(it)) {
        // They may be links, and the other programs stand beside what they lead to.
        let server = directory.join("postgres").canonicalize().ok();
        let beside = server.and_then(|server| Some(server.parent()?.to_owned()));
        return beside.filter(|it| has_both(it)).or(Some(directory));
    }
    let installed = std::fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(Result::ok);
    let version =
        |path: &PathBuf| -> Option<u32> { path.parent()?.file_name()?.to_str()?.parse().ok() };
    installed.map(|entry| entry.path().join("bin")).filter(|it| has_both(it)).max_by_key(version)
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}
