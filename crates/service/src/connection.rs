//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse as _;
use campuscafe_api::Problem;
use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tower::ServiceExt as _;

use crate::ProblemResponse;
use crate::body::CoalescedBody;
use crate::problem_response::Throttle;
use crate::read_queue::ReadQueue;
use crate::request::{BODY_TIMEOUT, MAX_BODY};
use crate::slots::{CloseReason, ConnectionSlot, NextRequest, SlotKind};
use crate::socket::{Connection, ServerStream};

/// How long a client may take to send a request's head, and how long a
/// connection may stay idle. Clients must drop idle connections sooner, or
/// they will now and then write into one that is being closed.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest head of a request, in bytes; a larger one is answered with 431.
/// A connection keeps as much of what was read and of what will be written.
const MAX_HEAD: usize = 16 * 1024;

/// How long a silent connection that must make room for another may still bring a
/// request: on a busy machine a client may need that long from its connection to its
/// first byte. The request is refused with an answer, because a client whose
/// connection is reset cannot know that nothing was done. Silence costs 2 KB.
const EVICTED_TIMEOUT: Duration = Duration::from_millis(250);

/// How long a head that has begun may take then; an unfinished head costs much more.
const EVICTED_HEAD_TIMEOUT: Duration = Duration::from_millis(10);

/// How long an idle connection may still bring a request when the service ends.
const DRAIN_IDLE_TIMEOUT: Duration = Duration::from_millis(100);

/// How long a head that has begun may take when the service ends.
const DRAIN_HEAD_TIMEOUT: Duration = Duration::from_secs(1);

/// What a connection beyond the limit may ask for.
const PROBES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// When a request that was refused at the limit may be sent again, in seconds.
const RETRY_AFTER: u64 = 1;

/// How HTTP is spoken on every connection.
pub(crate) fn protocol() -> http1::Builder {
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_header_size(MAX_HEAD)
        .max_buf_size(MAX_HEAD);
    protocol
}

/// Serves one connection until it is closed.
pub(crate) async fn serve_connection(
    stream: TcpStream,
    protocol: http1::Builder,
    router: Router,
    queue: ReadQueue,
    (slot, close_signal): (ConnectionSlot, oneshot::Receiver<CloseReason>),
) {
    let task = Arc::new(ConnectionTask {
        slot,
        connection: Connection::default(),
        stage: AtomicU8::new(WAITING),
        closing: AtomicBool::new(false),
    });
    let mut requested = None;
    let closed = tokio::select! {
        biased;
        closed = serve_http(stream, protocol, router, queue, &task) => closed,
        () = async {
            requested = close_signal.await.ok();
            task.last_request(requested).await;
        } => CloseReason::Done,
    };
    // By now the socket is closed, so the slot can be given to another.
    task.slot.count(if closed == CloseReason::Done { requested.unwrap_or(closed) } else { closed });
}

async fn serve_http(
    stream: TcpStream,
    protocol: http1::Builder,
    router: Router,
    queue: ReadQueue,
    task: &Arc<ConnectionTask>,
) -> CloseReason {
    if let Err(closed) = first_byte(&stream).await {
        return closed;
    }
    let service = service_fn({
        let task = task.clone();
        move |request| answer(task.clone(), router.clone(), request)
    });
    let stream = TokioIo::new(ServerStream::new(stream, task.connection.clone(), queue));
    // On the heap, so that a connection on which nothing was said yet stays small.
    let connection = Box::pin(protocol.serve_connection(stream, service));
    let served = task.drive(connection).await;
    task.why_closed(served)
}

/// Waits until the client says something. Until then its connection needs no
/// buffers, and most of what an idle connection costs is buffers.
async fn first_byte(stream: &TcpStream) -> Result<(), CloseReason> {
    match tokio::time::timeout(HEAD_TIMEOUT, stream.readable()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(CloseReason::Error),
        Err(_) => Err(CloseReason::IdleTimeout),
    }
}

/// It waits for a request, whose head may have begun.
const WAITING: u8 = 0;
/// A request is being answered.
const ANSWERING: u8 = 1;
/// The answer was handed over; some of it may still be unsent.
const ANSWERED: u8 = 2;

/// What one connection is at.
struct ConnectionTask {
    slot: ConnectionSlot,
    connection: Connection,
    stage: AtomicU8,
    /// Whether it ends after the answer that is under way, or without one.
    closing: AtomicBool,
}

impl ConnectionTask {
    fn is_at(&self, stage: u8) -> bool {
        self.stage.load(Ordering::Acquire) == stage
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// A request has come. Gives what must be held while it is under way, and
    /// what may be asked for.
    fn begin_request(self: &Arc<Self>) -> (RequestInFlight, SlotKind) {
        // The next request may be there before the last answer was settled.
        let stays = !self.is_at(WAITING) || self.slot.set_busy();
        self.stage.store(ANSWERING, Ordering::Release);
        let kind = if stays { self.slot.kind() } else { SlotKind::Probes };
        (RequestInFlight { task: self.clone() }, kind)
    }

    /// Drives the connection, and notes when an answer has left.
    async fn drive<C>(&self, mut connection: Pin<Box<C>>) -> hyper::Result<()>
    where
        C: Future<Output = hyper::Result<()>>,
    {
        poll_fn(|cx| {
            let served = connection.as_mut().poll(cx);
            if served.is_pending() && self.is_at(ANSWERED) && !self.connection.is_blocked() {
                if self.is_closing() {
                    return Poll::Ready(Ok(()));
                }
                self.stage.store(WAITING, Ordering::Release);
                self.connection.clear_received();
                self.slot.set_idle(if self.connection.is_throttled() {
                    NextRequest::Later
                } else {
                    NextRequest::AnyTime
                });
            }
            served
        })
        .await
    }

    /// The connection was told to go. Resolves when no request came in time;
    /// never if one did, as the connection then ends with its answer.
    async fn last_request(&self, reason: Option<CloseReason>) {
        self.closing.store(true, Ordering::Release);
        self.connection.read_at_once();
        // So that the stream, which is polled in the same task, is polled after that.
        tokio::task::yield_now().await;
        if reason == Some(CloseReason::Drain) {
            tokio::time::sleep(DRAIN_IDLE_TIMEOUT).await;
            if self.connection.has_received() {
                tokio::time::sleep(DRAIN_HEAD_TIMEOUT).await;
            }
        } else {
            self.received_within(EVICTED_TIMEOUT).await;
            tokio::time::sleep(EVICTED_HEAD_TIMEOUT).await;
        }
        if !self.is_at(WAITING) {
            std::future::pending::<()>().await;
        }
    }

    /// Resolves when the client has sent something, or when it has not for so long. What it
    /// sends wakes the task of this connection, of which this is a part.
    async fn received_within(&self, limit: Duration) {
        let mut silent = pin!(tokio::time::sleep(limit));
        poll_fn(|cx| {
            if self.connection.has_received() || !self.is_at(WAITING) {
                return Poll::Ready(());
            }
            silent.as_mut().poll(cx)
        })
        .await;
    }

    fn why_closed(&self, served: hyper::Result<()>) -> CloseReason {
        match served {
            _ if self.connection.is_cut() => CloseReason::Cut,
            Ok(()) => CloseReason::Done,
            Err(_) if self.connection.is_write_stalled() => CloseReason::WriteTimeout,
            Err(error) if error.is_timeout() => {
                if self.connection.has_received() {
                    CloseReason::HeadTimeout
                } else {
                    CloseReason::IdleTimeout
                }
            }
            Err(_) => CloseReason::Error,
        }
    }
}

/// Held from a request's head to the last of its answer's body.
struct RequestInFlight {
    task: Arc<ConnectionTask>,
}

impl Drop for RequestInFlight {
    fn drop(&mut self) {
        self.task.stage.store(ANSWERED, Ordering::Release);
    }
}

async fn answer(
    task: Arc<ConnectionTask>,
    router: Router,
    mut request: Request<Incoming>,
) -> Result<Response<TrackedBody>, Infallible> {
    let (in_flight, kind) = task.begin_request();
    let probes_only = kind == SlotKind::Probes;
    let mut response = if probes_only && !PROBES.contains(&request.uri().path()) {
        at_the_limit().into_response()
    } else {
        request.extensions_mut().insert(task.connection.clone());
        let request = request.map(|body| Body::new(CoalescedBody::new(body)));
        router.oneshot(without_needless_body(request).await).await?
    };
    task.connection.answered(response.extensions().get::<Throttle>().map(|it| it.0));
    if probes_only || task.is_closing() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|body| TrackedBody { body, _in_flight: in_flight }))
}

/// No GET or HEAD here reads a body. One that is left unread when the connection
/// closes makes the kernel send a reset, which can take the end of our answer with
/// it. So it is read first, within the bounds of any body, and dropped.
async fn without_needless_body(request: Request<Body>) -> Request<Body> {
    let reads_none = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads_none || hyper::body::Body::is_end_stream(request.body()) {
        return request;
    }
    let (head, body) = request.into_parts();
    // A body beyond the bounds is the client's loss, not a reason to refuse.
    let _ = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await;
    Request::from_parts(head, Body::empty())
}

fn at_the_limit() -> ProblemResponse {
    let problem =
        Problem::new(503, "too-many-connections", "Too many connections").detail(format!(
            "all connections that --max-connections allows are busy. Nothing was done for this \
             request; send it again after {RETRY_AFTER} s"
        ));
    ProblemResponse::from(problem).retry_after(RETRY_AFTER)
}

/// The body of an answer; its request is under way until all of it was taken.
struct TrackedBody {
    body: Body,
    _in_flight: RequestInFlight,
}

impl hyper::body::Body for TrackedBody {
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
