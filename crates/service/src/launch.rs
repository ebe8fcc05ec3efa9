//! From settings to an exit status: what every `main` does.

use std::process::ExitCode;

use campuscafe_telemetry::{Identity, Metrics};

use crate::cli::{MISUSE, complain, misuse};

/// Why a program ended without having done what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Asked for something that cannot be meant or had; exit status 2.
    #[error("{0}")]
    Misuse(String),
    /// Tried and failed; exit status 1.
    #[error("{0}")]
    Failed(String),
}

/// Sets up telemetry and a runtime, runs the program, and flushes telemetry
/// last of all.
pub fn launch<F>(identity: Identity, program: impl FnOnce(Metrics) -> F) -> ExitCode
where
    F: Future<Output = Result<ExitCode, Failure>>,
{
    let telemetry =
        campuscafe_telemetry::init(identity).unwrap_or_else(|error| misuse(&error.to_string()));
    // An order under way takes a connection in and one out, and the usual soft
    // limit is soon used up; a process may raise it to the hard one by itself.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap_or_else(|error| misuse(&format!("cannot start: {error}")));
    let result = runtime.block_on(program(telemetry.metrics.clone()));
    // Not dropped: that would wait for tasks nobody waits for any more.
    runtime.shutdown_background();
    telemetry.shutdown();
    match result {
        Ok(code) => code,
        Err(failure) => {
            complain(&failure.to_string());
            match failure {
                Failure::Misuse(_) => ExitCode::from(MISUSE),
                Failure::Failed(_) => ExitCode::FAILURE,
            }
        }
    }
}
