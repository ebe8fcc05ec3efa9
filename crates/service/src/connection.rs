//! One connection, from its first byte to its last.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse as _;
use campuscafe_api::Problem;
use http::{HeaderValue, Request, Response, header};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tower::ServiceExt as _;

use crate::body::Joined;
use crate::places::{Closed, Place, Use};
use crate::socket::{Connection, Cuttable};
use crate::{Lifecycle, Refusal};

/// How long a client may take to send a request's head, and how long a
/// connection may stay idle. Clients must drop idle connections sooner, or
/// they will now and then write into one that is being closed.
pub(crate) const HEAD_LIMIT: Duration = Duration::from_secs(10);

/// The largest head of a request, in bytes; a larger one is answered with 431.
/// A connection keeps as much of what was read and of what will be written.
const MAX_HEAD: usize = 16 * 1024;

/// How long a connection on which nothing was said yet may still say something
/// when the service ends: its request may be on its way.
const FIRST_BYTE_LIMIT: Duration = Duration::from_millis(100);

/// How long a head that has begun may still take when the service ends.
const LAST_HEAD_LIMIT: Duration = Duration::from_secs(1);

/// What a connection beyond the limit may ask for.
const PROBES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// When a request that was refused at the limit may be sent again, in seconds.
const RETRY_AFTER: u64 = 1;

/// How HTTP is spoken on every connection.
pub(crate) fn protocol() -> http1::Builder {
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_header_size(MAX_HEAD)
        .max_buf_size(MAX_HEAD);
    protocol
}

/// Serves one connection until it is closed.
pub(crate) async fn serve_connection(
    stream: TcpStream,
    protocol: http1::Builder,
    router: Router,
    lifecycle: Lifecycle,
    (place, evicted): (Place, oneshot::Receiver<Closed>),
) {
    let connection = Connection::default();
    let talk = Arc::new(Talk { place, connection, stage: AtomicU8::new(WAITING) });
    let closed = tokio::select! {
        biased;
        Ok(reason) = evicted => reason,
        closed = converse(stream, protocol, router, lifecycle, &talk) => closed,
    };
    // By now the socket is closed, so the place can be given to another.
    talk.place.count(closed);
}

async fn converse(
    stream: TcpStream,
    protocol: http1::Builder,
    router: Router,
    lifecycle: Lifecycle,
    talk: &Arc<Talk>,
) -> Closed {
    let said_nothing = tokio::select! {
        biased;
        heard = first_byte(&stream) => heard.err(),
        () = async {
            lifecycle.draining().await;
            tokio::time::sleep(FIRST_BYTE_LIMIT).await;
        } => Some(Closed::Drain),
    };
    if let Some(closed) = said_nothing {
        return closed;
    }
    let service = service_fn({
        let talk = talk.clone();
        move |request| answer(talk.clone(), router.clone(), request)
    });
    let stream = TokioIo::new(Cuttable::new(stream, talk.connection.clone()));
    let mut connection = Box::pin(protocol.serve_connection(stream, service));
    tokio::select! {
        biased;
        served = talk.follow(connection.as_mut()) => return talk.why_closed(served),
        () = lifecycle.draining() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        biased;
        served = talk.follow(connection.as_mut()) => match talk.why_closed(served) {
            Closed::Done => Closed::Drain,
            other => other,
        },
        () = talk.last_head() => Closed::Drain,
    }
}

/// Waits until the client says something. Until then its connection needs no
/// buffers, and most of what an idle connection costs is buffers.
async fn first_byte(stream: &TcpStream) -> Result<(), Closed> {
    match tokio::time::timeout(HEAD_LIMIT, stream.peek(&mut [0])).await {
        Ok(Ok(1..)) => Ok(()),
        Ok(Ok(0)) => Err(Closed::Done),
        Ok(Err(_)) => Err(Closed::Error),
        Err(_) => Err(Closed::IdleTimeout),
    }
}

/// It waits for a request, whose head may have begun.
const WAITING: u8 = 0;
/// A request is being answered.
const ANSWERING: u8 = 1;
/// The answer was handed over; some of it may still be unsent.
const ANSWERED: u8 = 2;

/// What one connection is at.
struct Talk {
    place: Place,
    connection: Connection,
    stage: AtomicU8,
}

impl Talk {
    fn is_at(&self, stage: u8) -> bool {
        self.stage.load(Ordering::Acquire) == stage
    }

    /// A request has come; nothing where the connection has to go.
    fn begin(self: &Arc<Self>) -> Option<UnderWay> {
        // The next request may be there before the last answer was settled.
        if self.is_at(WAITING) && !self.place.begin() {
            return None;
        }
        self.stage.store(ANSWERING, Ordering::Release);
        Some(UnderWay { talk: self.clone() })
    }

    /// Drives the connection, and notes when an answer has left.
    async fn follow<C: Future>(&self, mut connection: Pin<&mut C>) -> C::Output {
        std::future::poll_fn(|cx| {
            let served = connection.as_mut().poll(cx);
            if served.is_pending() && self.is_at(ANSWERED) && !self.connection.is_blocked() {
                self.stage.store(WAITING, Ordering::Release);
                self.connection.take_heard();
                self.place.rest();
            }
            served
        })
        .await
    }

    /// Resolves when a head that was under way at the end has had its time.
    async fn last_head(&self) {
        tokio::time::sleep(LAST_HEAD_LIMIT).await;
        if !self.is_at(WAITING) {
            // It became a request, and ends with its answer.
            std::future::pending::<()>().await;
        }
    }

    fn why_closed(&self, served: hyper::Result<()>) -> Closed {
        match served {
            _ if self.connection.is_cut() => Closed::Cut,
            Ok(()) => Closed::Done,
            Err(_) if self.connection.is_unread() => Closed::WriteTimeout,
            Err(error) if error.is_timeout() => {
                if self.connection.take_heard() {
                    Closed::HeadTimeout
                } else {
                    Closed::IdleTimeout
                }
            }
            Err(_) => Closed::Error,
        }
    }
}

/// Held from a request's head to the last of its answer's body.
struct UnderWay {
    talk: Arc<Talk>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.talk.stage.store(ANSWERED, Ordering::Release);
    }
}

/// A request came on a connection that had been told to go.
#[derive(Debug, thiserror::Error)]
#[error("the connection was closed to make room for another")]
struct Gone;

async fn answer(
    talk: Arc<Talk>,
    router: Router,
    mut request: Request<Incoming>,
) -> Result<Response<Answer>, Gone> {
    let under_way = talk.begin().ok_or(Gone)?;
    let probes_only = talk.place.used_for() == Use::Probes;
    let mut response = if probes_only && !PROBES.contains(&request.uri().path()) {
        at_the_limit().into_response()
    } else {
        request.extensions_mut().insert(talk.connection.clone());
        let Ok(response) = router.oneshot(request.map(|body| Body::new(Joined::new(body)))).await;
        response
    };
    if probes_only {
        // The place is needed for the next probe.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|body| Answer { body, _under_way: under_way }))
}

fn at_the_limit() -> Refusal {
    let problem =
        Problem::new(503, "too-many-connections", "Too many connections").detail(format!(
            "every connection that --max-connections allows is busy; nothing was done for this \
             request, so it can be sent again after {RETRY_AFTER} s"
        ));
    Refusal::from(problem).retry_after(RETRY_AFTER)
}

/// The body of an answer; its request is under way until all of it was taken.
struct Answer {
    body: Body,
    _under_way: UnderWay,
}

impl hyper::body::Body for Answer {
    type Data = bytes::Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
