//! The accept loop and the orderly end.
//!
//! Our own loop rather than axum's, because axum's offers neither a limit on
//! how long a client may take to say what it wants, nor a hold on the
//! connection that a fault could cut.

use std::io::Write as _;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use campuscafe_telemetry::Metrics;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

use crate::socket::Cuttable;
use crate::{DRAIN_LIMIT, Failure, Lifecycle, end_signal};

/// How long a client may take to send a request's head, and how long a
/// connection may stay idle. Clients must drop idle connections sooner, or
/// they will now and then write into one that is being closed.
const HEAD_LIMIT: Duration = Duration::from_secs(10);

/// How often histogram samples are folded into buckets.
const UPKEEP: Duration = Duration::from_secs(5);

/// How long to wait after a failed accept, which is nearly always a lack of
/// file descriptors: trying at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Announces the address on stdout, serves until [`end_signal`], then drains.
///
/// # Errors
///
/// When answers or late work were not finished within [`DRAIN_LIMIT`].
pub async fn run(
    name: &str,
    listener: TcpListener,
    router: Router,
    lifecycle: Lifecycle,
    metrics: Metrics,
) -> Result<(), Failure> {
    if let Ok(address) = listener.local_addr() {
        // Whoever asked for port 0, and the lab, read this line. A reader that
        // went away is no reason not to serve.
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{name} listening on http://{address}");
        let _ = out.flush();
    }
    let upkeep = tokio::spawn(async move {
        let mut tick = tokio::time::interval(UPKEEP);
        loop {
            tick.tick().await;
            metrics.upkeep();
        }
    });
    let result = serve(listener, router, lifecycle, end_signal()).await;
    upkeep.abort();
    result
}

/// Serves until `end` resolves, then takes no more connections and waits for
/// the answers and the late work that are under way.
///
/// # Errors
///
/// When they were not finished within [`DRAIN_LIMIT`].
pub async fn serve(
    listener: TcpListener,
    router: Router,
    lifecycle: Lifecycle,
    end: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let open = GracefulShutdown::new();
    tokio::pin!(end);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => open_connection(stream, router.clone(), &open),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            () = &mut end => break,
        }
    }
    drop(listener);
    lifecycle.drain();
    tracing::info!(late_work = lifecycle.unfinished(), connections = open.count(), "ending");
    let finish = async { tokio::join!(open.shutdown(), lifecycle.drained()) };
    if tokio::time::timeout(DRAIN_LIMIT, finish).await.is_err() {
        return Err(Failure::Failed(format!(
            "gave up work that was not finished after {1} s: {0} requests",
            lifecycle.unfinished(),
            DRAIN_LIMIT.as_secs()
        )));
    }
    Ok(())
}

fn open_connection(stream: TcpStream, router: Router, open: &GracefulShutdown) {
    // Small answers should leave at once; a socket that cannot do that still works.
    let _ = stream.set_nodelay(true);
    let (stream, handle) = Cuttable::new(stream);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(handle.clone());
        router.clone().oneshot(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), service);
    // Errors here are the client's going away or not speaking HTTP.
    tokio::spawn(open.watch(connection));
}
