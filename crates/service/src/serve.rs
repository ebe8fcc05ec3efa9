//! The accept loop and the orderly end.
//!
//! Our own loop rather than axum's, because axum's offers neither a limit on
//! how long a client may take to say what it wants, nor a hold on the
//! connection that a fault could cut.

use std::io::{Error, Write as _};
use std::time::Duration;

use axum::Router;
use campuscafe_telemetry::Metrics;
use socket2::SockRef;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::connection::{protocol, serve_connection};
use crate::read_queue::ReadQueue;
use crate::slots::ConnectionSlots;
use crate::{DRAIN_TIMEOUT, ExitError, Lifecycle, ServerSettings, end_signal};

/// How long to wait for a connection to close when the process has no file
/// descriptor or memory for another: trying at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How often the log says that connections cannot be accepted, while that lasts.
const WARN_EVERY: Duration = Duration::from_mins(1);

/// Announces the address on stdout, serves until [`end_signal`], then drains.
///
/// # Errors
///
/// When answers or late work were not finished within [`DRAIN_TIMEOUT`].
pub async fn run(
    name: &str,
    listener: TcpListener,
    router: Router,
    lifecycle: Lifecycle,
    metrics: Metrics,
    settings: &ServerSettings,
) -> Result<(), ExitError> {
    if let Ok(address) = listener.local_addr() {
        // The lab reads this line, and so does a person who asked for port 0. The
        // service also runs if nobody reads it.
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{name} listening on http://{address}");
        let _ = out.flush();
    }
    serve(listener, router, lifecycle, &metrics, settings, end_signal()).await
}

/// Serves until `end` resolves, then takes no more connections, waits for the
/// answers that are under way, and then for the late work.
///
/// # Errors
///
/// When they were not finished within [`DRAIN_TIMEOUT`].
pub async fn serve(
    listener: TcpListener,
    router: Router,
    lifecycle: Lifecycle,
    metrics: &Metrics,
    settings: &ServerSettings,
    end: impl Future<Output = ()>,
) -> Result<(), ExitError> {
    let slots = ConnectionSlots::new(settings.max_connections, metrics);
    // Small answers should leave at once; a socket that cannot do that still works. The
    // sockets that are accepted inherit it.
    let _ = SockRef::from(&listener).set_tcp_nodelay(true);
    let (protocol, open, queue) = (protocol(), TaskTracker::new(), ReadQueue::default());
    let _turns = AbortOnDropHandle::new(tokio::spawn(queue.clone().give_turns()));
    let mut warned: Option<Instant> = None;
    tokio::pin!(end);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut end => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) if is_shortage(&error) => {
                let evicted = slots.evict();
                if warned.is_none_or(|last| last.elapsed() >= WARN_EVERY) {
                    warned = Some(Instant::now());
                    tracing::warn!(%error, evicted, "cannot accept a connection");
                }
                let _ = tokio::time::timeout(ACCEPT_PAUSE, slots.freed()).await;
                continue;
            }
            // It says something about one client, and the next one may be well.
            Err(error) => {
                tracing::debug!(%error, "a client left before it was accepted");
                continue;
            }
        };
        if let Some(slot) = slots.admit() {
            let (protocol, router, queue) = (protocol.clone(), router.clone(), queue.clone());
            open.spawn(serve_connection(stream, protocol, router, queue, slot));
        }
    }
    drop(listener);
    lifecycle.drain();
    slots.drain();
    open.close();
    tracing::info!(late_work = lifecycle.unfinished(), connections = open.len(), "stopping");
    // Not both at once: a request whose body is still being read may start work.
    let finish = async {
        open.wait().await;
        lifecycle.drained().await;
    };
    if tokio::time::timeout(DRAIN_TIMEOUT, finish).await.is_err() {
        return Err(ExitError::Failed(format!(
            "stopped after {} s with unfinished work: {} requests, {} connections",
            DRAIN_TIMEOUT.as_secs(),
            lifecycle.unfinished(),
            open.len(),
        )));
    }
    Ok(())
}

/// Whether the process or the machine lacks what another connection needs. Other
/// errors of accept(2) are those of one client's connection.
fn is_shortage(error: &Error) -> bool {
    use libc::{EMFILE, ENFILE, ENOBUFS, ENOMEM};
    error.raw_os_error().is_some_and(|code| [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(&code))
}

#[cfg(test)]
mod tests;
