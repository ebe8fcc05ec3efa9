//! Work whose caller may leave before it is done.

use std::time::Duration;

use tokio::time::Instant;

/// Held while a caller waits for work that goes on without it. If the caller leaves, it
/// is dropped unanswered and writes the log line that says so.
#[derive(Debug)]
pub struct Waiting {
    request_id: String,
    since: Instant,
    answered: bool,
}

impl Waiting {
    /// Begins to wait for the work of this request.
    #[must_use]
    pub fn for_request(request_id: &str) -> Self {
        Self { request_id: request_id.to_owned(), since: Instant::now(), answered: false }
    }

    /// The caller is still there, and the work is done.
    pub fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.answered {
            let after = seconds(self.since.elapsed());
            let request_id = &*self.request_id;
            tracing::info!(request_id, "The caller left after {after}; still working");
        }
    }
}

/// A time as one would say it: in seconds, or in milliseconds if it is short.
#[must_use]
pub fn seconds(duration: Duration) -> String {
    match duration.as_millis() {
        ms @ 0..100 => format!("{ms} ms"),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}
