//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::pin::Pin;
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
use tokio::time::Instant;
use tower::ServiceExt as _;

use crate::Refusal;
use crate::body::Joined;
use crate::places::{Closed, Place, Use};
use crate::refusal::Rest;
use crate::request::{BODY_LIMIT, MAX_BODY};
use crate::socket::{Connection, Cuttable};

/// How long a client may take to send a request's head, and how long a
/// connection may stay idle. Clients must drop idle connections sooner, or
/// they will now and then write into one that is being closed.
pub(crate) const HEAD_LIMIT: Duration = Duration::from_secs(10);

/// The largest head of a request, in bytes; a larger one is answered with 431.
/// A connection keeps as much of what was read and of what will be written.
const MAX_HEAD: usize = 16 * 1024;

/// How long a silent connection that must make room for another may still bring a
/// request: on a busy machine a client may need that long from its connection to its
/// first byte. The request is refused with an answer, because a client whose
/// connection is reset cannot know that nothing was done. Silence costs 2 KB.
const EVICTED_LIMIT: Duration = Duration::from_millis(250);

/// How long a head that has begun may take then; an unfinished head costs much more.
const EVICTED_HEAD_LIMIT: Duration = Duration::from_millis(10);

/// How long an idle connection may still bring a request when the service ends.
const DRAIN_IDLE_LIMIT: Duration = Duration::from_millis(100);

/// How long a head that has begun may take when the service ends.
const DRAIN_HEAD_LIMIT: Duration = Duration::from_secs(1);

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
    (place, told_to_go): (Place, oneshot::Receiver<Closed>),
) {
    let talk = Arc::new(Talk {
        place,
        connection: Connection::default(),
        stage: AtomicU8::new(WAITING),
        leaving: AtomicBool::new(false),
    });
    let mut told = None;
    let closed = tokio::select! {
        biased;
        closed = converse(stream, protocol, router, &talk) => closed,
        () = async {
            told = told_to_go.await.ok();
            talk.last_request(told).await;
        } => Closed::Done,
    };
    // By now the socket is closed, so the place can be given to another.
    talk.place.count(if closed == Closed::Done { told.unwrap_or(closed) } else { closed });
}

async fn converse(
    stream: TcpStream,
    protocol: http1::Builder,
    router: Router,
    talk: &Arc<Talk>,
) -> Closed {
    if let Err(closed) = first_byte(&stream).await {
        return closed;
    }
    let service = service_fn({
        let talk = talk.clone();
        move |request| answer(talk.clone(), router.clone(), request)
    });
    let stream = TokioIo::new(Cuttable::new(stream, talk.connection.clone()));
    // On the heap, so that a connection on which nothing was said yet stays small.
    let connection = Box::pin(protocol.serve_connection(stream, service));
    let served = talk.follow(connection).await;
    talk.why_closed(served)
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
    /// Whether it ends after the answer that is under way, or without one.
    leaving: AtomicBool,
}

impl Talk {
    fn is_at(&self, stage: u8) -> bool {
        self.stage.load(Ordering::Acquire) == stage
    }

    fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    /// A request has come. Gives what must be held while it is under way, and
    /// what may be asked for.
    fn begin(self: &Arc<Self>) -> (UnderWay, Use) {
        // The next request may be there before the last answer was settled.
        let stays = !self.is_at(WAITING) || self.place.begin();
        self.stage.store(ANSWERING, Ordering::Release);
        let used_for = if stays { self.place.used_for() } else { Use::Probes };
        (UnderWay { talk: self.clone() }, used_for)
    }

    /// Drives the connection, and notes when an answer has left.
    async fn follow<C>(&self, mut connection: Pin<Box<C>>) -> hyper::Result<()>
    where
        C: Future<Output = hyper::Result<()>>,
    {
        std::future::poll_fn(|cx| {
            let served = connection.as_mut().poll(cx);
            if served.is_pending() && self.is_at(ANSWERED) && !self.connection.is_blocked() {
                if self.is_leaving() {
                    return Poll::Ready(Ok(()));
                }
                self.stage.store(WAITING, Ordering::Release);
                self.connection.forget_heard();
                self.place.rest();
            }
            served
        })
        .await
    }

    /// The connection was told to go. Resolves when no request came in time;
    /// never if one did, as the connection then ends with its answer.
    async fn last_request(&self, told: Option<Closed>) {
        self.leaving.store(true, Ordering::Release);
        self.connection.end_rest();
        if told == Some(Closed::Drain) {
            tokio::time::sleep(DRAIN_IDLE_LIMIT).await;
            if self.connection.is_heard() {
                tokio::time::sleep(DRAIN_HEAD_LIMIT).await;
            }
        } else {
            let limit = Instant::now() + EVICTED_LIMIT;
            while !self.connection.is_heard() && self.is_at(WAITING) && Instant::now() < limit {
                tokio::time::sleep(EVICTED_HEAD_LIMIT).await;
            }
            tokio::time::sleep(EVICTED_HEAD_LIMIT).await;
        }
        if !self.is_at(WAITING) {
            std::future::pending::<()>().await;
        }
    }

    fn why_closed(&self, served: hyper::Result<()>) -> Closed {
        match served {
            _ if self.connection.is_cut() => Closed::Cut,
            Ok(()) => Closed::Done,
            Err(_) if self.connection.is_unread() => Closed::WriteTimeout,
            Err(error) if error.is_timeout() => {
                if self.connection.is_heard() {
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

async fn answer(
    talk: Arc<Talk>,
    router: Router,
    mut request: Request<Incoming>,
) -> Result<Response<Answer>, Infallible> {
    let (under_way, used_for) = talk.begin();
    let probes_only = used_for == Use::Probes;
    let mut response = if probes_only && !PROBES.contains(&request.uri().path()) {
        at_the_limit().into_response()
    } else {
        request.extensions_mut().insert(talk.connection.clone());
        let request = request.map(|body| Body::new(Joined::new(body)));
        router.oneshot(without_needless_body(request).await).await?
    };
    talk.connection.answered(response.extensions().get::<Rest>().is_some());
    if probes_only || talk.is_leaving() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|body| Answer { body, _under_way: under_way }))
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
    let _ = tokio::time::timeout(BODY_LIMIT, Limited::new(body, MAX_BODY).collect()).await;
    Request::from_parts(head, Body::empty())
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
