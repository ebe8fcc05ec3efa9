//! One service as a process of its own.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use campuscafe_service::{DRAIN_TIMEOUT, END_WITH_STDIN, ExitError};
use reqwest::Url;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::log::Log;
use super::{START_TIMEOUT, StartMode};
use crate::http::local_url;

/// How long a service may take to end: to drain, to flush, and a little more.
const END_TIMEOUT: Duration = Duration::from_secs(DRAIN_TIMEOUT.as_secs() + 5);

/// A running service. When this is dropped it drains and ends, which only [`Service::stop`]
/// waits for; one that is [disposable](StartMode::Disposable) is killed.
pub(super) struct Service {
    pub(super) url: Url,
    pub(super) name: &'static str,
    child: Child,
    /// Closing it tells the service to end. Not left in `child`, which closes
    /// it as soon as one waits.
    stdin: Option<ChildStdin>,
    /// Kept open, so that the service can still write to it.
    _stdout: BufReader<ChildStdout>,
    log: Log,
}

impl Service {
    /// Starts it, and returns when it says where it listens.
    pub(super) async fn start(
        name: &'static str,
        arguments: &[OsString],
        manner: StartMode<'_>,
        lab: &Url,
    ) -> Result<Self, ExitError> {
        let mut child = command(name, arguments, manner, lab)
            .and_then(|mut command| command.spawn())
            .map_err(|error| cannot(name, &error.to_string()))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or_else(|| cannot(name, "it has no stdout"))?;
        let stderr = child.stderr.take().ok_or_else(|| cannot(name, "it has no stderr"))?;
        let mut log = Log::read(stderr);
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        let read = timeout(START_TIMEOUT, stdout.read_line(&mut line)).await;
        let address = line.trim().split(" on http://").nth(1).and_then(|it| it.parse().ok());
        let Some(address) = address else {
            // The service has said on stderr what is wrong; its status says whose fault it is.
            let status = timeout(START_TIMEOUT, child.wait()).await.ok().and_then(Result::ok);
            log.end().await;
            let sentence = match read {
                Ok(_) => format!("the {name} service did not start ({})", ending(status)),
                Err(_) => format!("the {name} service did not start within {START_TIMEOUT:?}"),
            };
            return Err(match status.and_then(|status| status.code()) {
                Some(2) => ExitError::Usage(sentence),
                _ => ExitError::Failed(sentence),
            });
        };
        let url = local_url(address)?;
        Ok(Self { url, name, child, stdin, _stdout: stdout, log })
    }

    /// Resolves when the service ends by itself.
    pub(super) async fn ended(&mut self) -> Option<ExitStatus> {
        self.child.wait().await.ok()
    }

    /// Which service it was, how it ended, and what it said last.
    pub(super) async fn describe_exit(&mut self, status: Option<ExitStatus>) -> String {
        self.log.end().await;
        let what = format!("the {} service stopped unexpectedly ({})", self.name, ending(status));
        let last = self.log.last_lines();
        if last.is_empty() {
            return format!("{what}; its log is empty");
        }
        format!("{what}; its last lines:\n  {}", last.join("\n  "))
    }

    /// Tells the service to end and waits for that; kills it at the limit.
    pub(super) async fn stop(&mut self) {
        drop(self.stdin.take());
        if timeout(END_TIMEOUT, self.child.wait()).await.is_err() {
            tracing::warn!(
                service = self.name,
                "killed, because it did not stop within {END_TIMEOUT:?}"
            );
            let _ = self.child.kill().await;
        }
        self.log.end().await;
    }

    /// Ends the service at once. Gives false if it had ended before.
    pub(super) async fn kill(&mut self) -> bool {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return false;
        }
        let _ = self.child.kill().await;
        true
    }
}

fn command(
    name: &str,
    arguments: &[OsString],
    manner: StartMode<'_>,
    lab: &Url,
) -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(name).args(arguments);
    command.kill_on_drop(matches!(manner, StartMode::Disposable(_) | StartMode::Stored(_)));
    // Where a service keeps its file. Each has its own directory, and a private one has none.
    command.env_remove("DATA_DIR");
    let private = manner.is_private();
    if private {
        command.env("RUST_LOG", "warn");
        // What others keep there is not for an experiment to reset.
        command.env_remove("DATABASE_URL").env_remove("DATABASE_PASSWORD_FILE");
    }
    match manner {
        StartMode::Stored(_) if name != "inventory" => {}
        StartMode::Private(settings)
        | StartMode::Disposable(settings)
        | StartMode::Stored(settings) => {
            command.envs(settings.iter().map(|(name, value)| (name, value)));
        }
        StartMode::Open(None) => {}
        StartMode::Open(Some(data)) => {
            command.env("DATA_DIR", data.join(name));
        }
    }
    // A person who names another collector when starting the lab wants the spans there, or
    // the log records.
    if private || !is_set("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", lab.as_str());
        command.env_remove("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    }
    if private {
        command.env_remove("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT");
    }
    // Its log comes to us through a pipe, and goes on to where ours goes.
    if std::io::stderr().is_terminal() {
        if !is_set("LOG_FORMAT", "LOG_FORMAT") {
            command.env("LOG_FORMAT", "pretty");
        }
        if !is_set("CLICOLOR_FORCE", "NO_COLOR") {
            command.env("CLICOLOR_FORCE", "1");
        }
    }
    // Ctrl-C in a terminal reaches every process of the terminal's group. The
    // services must hear of the end from us, one after the other.
    #[cfg(unix)]
    command.process_group(0);
    command
        .env(END_WITH_STDIN, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok(command)
}

fn is_set(one: &str, other: &str) -> bool {
    [one, other].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn ending(status: Option<ExitStatus>) -> String {
    status.map_or_else(|| "no exit status".to_owned(), |status| status.to_string())
}

fn cannot(name: &str, what: &str) -> ExitError {
    ExitError::Failed(format!("cannot start {name}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_experiment_starts_for_itself_sends_to_this_lab_only_and_has_no_store_of_others() {
        let lab: Url = "http://127.0.0.1:5301/".parse().unwrap();
        let settings = Vec::new();
        let command_of = |name, manner| command(name, &[], manner, &lab).unwrap().into_std();
        let command = command_of("order", StartMode::Private(&settings));
        let said: Vec<_> = command.get_envs().collect();
        let said = |name: &str| said.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        let endpoint: &std::ffi::OsStr = lab.as_str().as_ref();
        assert_eq!(said("OTEL_EXPORTER_OTLP_ENDPOINT"), Some(Some(endpoint)));
        let own = vec![("DATA_DIR", "somewhere".to_owned())];
        for (name, expected) in [("inventory", Some("somewhere")), ("order", None)] {
            let command = command_of(name, StartMode::Stored(&own));
            let data = command.get_envs().find(|(key, _)| *key == "DATA_DIR").unwrap().1;
            assert_eq!(data, expected.map(std::ffi::OsStr::new), "{name}");
        }
        for removed in [
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
            "DATABASE_URL",
            "DATA_DIR",
        ] {
            assert_eq!(said(removed), Some(None), "{removed}");
        }
    }
}
