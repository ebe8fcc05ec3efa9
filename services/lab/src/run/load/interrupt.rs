//! Ctrl-C or SIGTERM, heard once and known everywhere.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use campuscafe_service::end_signal;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// After Ctrl-C: how long orders under way are still waited for.
pub(crate) const ORDERS_TIMEOUT: Duration = Duration::from_millis(300);

/// After Ctrl-C: by when the services must have told their counts.
pub(crate) const COUNTS_TIMEOUT: Duration = Duration::from_millis(700);

/// After Ctrl-C: by when services that the load started must have ended. A
/// person who presses Ctrl-C expects the end within a second, and nobody else uses them.
pub(crate) const SERVICES_TIMEOUT: Duration = Duration::from_millis(800);

// Each step begins when the one before it is over, and all of them fit in a second.
const _: () = assert!(
    ORDERS_TIMEOUT.as_millis() < COUNTS_TIMEOUT.as_millis()
        && COUNTS_TIMEOUT.as_millis() < SERVICES_TIMEOUT.as_millis()
        && SERVICES_TIMEOUT.as_millis() < 900
);

/// Whether and when somebody asked the load to end.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(watch::Receiver<Option<Instant>>);

impl Interrupt {
    /// Listens from now on, in a task of its own: whatever else waits, this hears.
    pub(crate) async fn listen() -> Self {
        let (heard, told) = watch::channel(None);
        let mut listening = Box::pin(async move {
            end_signal().await;
            heard.send_replace(Some(Instant::now()));
        });
        // The first poll is what makes the process hear signals.
        if poll_fn(|context| Poll::Ready(listening.as_mut().poll(context))).await.is_pending() {
            tokio::spawn(listening);
        }
        Self(told)
    }

    /// Resolves when somebody has asked; at once if that was before.
    pub(crate) async fn heard(&self) {
        self.heard_before(Duration::ZERO).await;
    }

    /// Resolves when somebody asked so long ago.
    pub(crate) async fn heard_before(&self, ago: Duration) {
        let mut told = self.0.clone();
        let at = told.wait_for(Option::is_some).await.ok().and_then(|at| *at);
        match at {
            Some(at) => sleep_until(at + ago).await,
            None => std::future::pending().await,
        }
    }
}
