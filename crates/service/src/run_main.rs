//! From settings to an exit status: what every `main` does.

use std::process::ExitCode;

use campuscafe_telemetry::{Identity, Metrics};

use crate::cli::{EXIT_USAGE, exit_with_usage_error, print_error};

/// Why a program ended without having done what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExitError {
    /// A setting or an argument is invalid or cannot be met; exit status 2.
    #[error("{0}")]
    Usage(String),
    /// Tried and failed; exit status 1.
    #[error("{0}")]
    Failed(String),
}

/// Sets up telemetry and a runtime, runs the program, and flushes telemetry
/// last of all.
pub fn run_main<F>(identity: Identity, program: impl FnOnce(Metrics) -> F) -> ExitCode
where
    F: Future<Output = Result<ExitCode, ExitError>>,
{
    let telemetry = campuscafe_telemetry::init(identity)
        .unwrap_or_else(|error| exit_with_usage_error(&error.to_string()));
    // An order under way takes a connection in and one out, and the usual soft
    // limit is soon used up; a process may raise it to the hard one by itself.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap_or_else(|error| exit_with_usage_error(&format!("cannot start: {error}")));
    let result = runtime.block_on(program(telemetry.metrics.clone()));
    // Not dropped: that would wait for tasks nobody waits for any more.
    runtime.shutdown_background();
    telemetry.shutdown();
    match result {
        Ok(code) => code,
        Err(error) => {
            print_error(&error.to_string());
            match error {
                ExitError::Usage(_) => ExitCode::from(EXIT_USAGE),
                ExitError::Failed(_) => ExitCode::FAILURE,
            }
        }
    }
}
