//! Sockets: bound with a clear error, cut on request, closed when the client does not read.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::Sleep;

use crate::ExitError;
use crate::read_queue::{ReadPlace, ReadQueue};

/// What the kernel may keep for each direction of a connection, in bytes; Linux
/// doubles it. By default it grows to megabytes for a client that does not read,
/// and a container's limit counts them.
const KERNEL_BUFFER: usize = 32 * 1024;

/// The largest segment of a connection, in bytes. On loopback it would be 64 KiB, and no
/// second one would fit into the buffer: the receiver acknowledges a lone segment only
/// after 40 ms, so an answer of 350 kB would take 220 ms. Segments of a network are smaller.
const MAX_SEGMENT: u32 = 8 * 1024;

/// How many connections may wait until they are accepted, where the kernel allows it. It drops
/// the next one, whose client tries again after 1 s: so long would a probe wait.
const QUEUE: u32 = 4_096;

/// Binds an address.
///
/// Call it in a runtime, which watches the socket.
///
/// # Errors
///
/// A sentence naming the setting, the address and what is wrong with it.
pub fn bind(setting: &str, address: SocketAddr) -> std::result::Result<TcpListener, ExitError> {
    let listener = listen(address).map_err(|error| ExitError::Usage(match error.kind() {
        ErrorKind::AddrInUse => format!(
            "{setting}: {address} is in use by another program, perhaps by a CampusCafe that is open already; stop that, or choose another address (:0 is any free port)"
        ),
        _ => format!("{setting}: cannot listen on {address}: {error}"),
    }))?;
    // Accepted sockets inherit them. A platform that refuses keeps its own.
    let socket = SockRef::from(&listener);
    let _ = socket.set_send_buffer_size(KERNEL_BUFFER);
    let _ = socket.set_recv_buffer_size(KERNEL_BUFFER);
    let _ = socket.set_tcp_mss(MAX_SEGMENT);
    Ok(listener)
}

/// As tokio's listener does it, with a longer queue.
fn listen(address: SocketAddr) -> Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A port can be used again at once. On Windows the option would mean more than that.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

/// How long a client may leave an answer unread before its connection is closed.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// The connection a request came in on; in the request's extensions.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    state: Arc<State>,
}

/// What is known of a connection outside of the server that reads and writes it.
#[derive(Debug, Default)]
struct State {
    cut: AtomicBool,
    received: AtomicBool,
    blocked: AtomicBool,
    write_stalled: AtomicBool,
    /// Whether the last request was refused, so that the connection is throttled.
    throttled: AtomicBool,
    /// The longest delay of the next read, in milliseconds.
    throttle_pending: AtomicU64,
    /// Whether it is read without a delay, because it is about to be closed.
    read_at_once: AtomicBool,
    /// How long the request waited to be read because the connection was throttled, and
    /// because others came first, in milliseconds.
    throttled_for: AtomicU64,
    queued_for: AtomicU64,
}

impl Connection {
    /// Cuts the connection as a broken network would: with a reset, and
    /// without a byte of the answer.
    ///
    /// It takes effect when the answer would be written, so return one.
    pub fn cut(&self) {
        self.state.cut.store(true, Ordering::Release);
    }

    /// How long the request waited to be read because the connection was throttled after a
    /// refusal: its client did not wait as long as `Retry-After` asked.
    #[must_use]
    pub fn throttled_for(&self) -> Duration {
        Duration::from_millis(self.state.throttled_for.load(Ordering::Relaxed))
    }

    /// How long the request waited to be read because others came first.
    #[must_use]
    pub fn queued_for(&self) -> Duration {
        Duration::from_millis(self.state.queued_for.load(Ordering::Relaxed))
    }

    /// A request was answered. If its client was told to come again after some time because
    /// processor time is short, the connection is throttled.
    pub(crate) fn answered(&self, retry_after: Option<Duration>) {
        let delay = retry_after.unwrap_or_default().saturating_sub(READ_BEFORE);
        let state = &self.state;
        state.throttled.store(retry_after.is_some(), Ordering::Relaxed);
        store(&state.throttled_for, Duration::ZERO);
        store(&state.queued_for, Duration::ZERO);
        store(&state.throttle_pending, delay.min(LONGEST_THROTTLE));
    }

    /// Whether the client was told to come again after some time.
    pub(crate) fn is_throttled(&self) -> bool {
        self.state.throttled.load(Ordering::Relaxed)
    }

    /// From now on what comes is read at once, even if the connection is throttled or
    /// others come first. Poll the stream after that.
    pub(crate) fn read_at_once(&self) {
        self.state.read_at_once.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.state.cut.load(Ordering::Acquire)
    }

    /// Whether the client sent anything since its last request was answered.
    pub(crate) fn has_received(&self) -> bool {
        self.state.received.load(Ordering::Relaxed)
    }

    pub(crate) fn clear_received(&self) {
        self.state.received.store(false, Ordering::Relaxed);
    }

    /// Whether bytes wait until the client reads those before them.
    pub(crate) fn is_blocked(&self) -> bool {
        self.state.blocked.load(Ordering::Relaxed)
    }

    /// Whether the client left an answer unread for too long.
    pub(crate) fn is_write_stalled(&self) -> bool {
        self.state.write_stalled.load(Ordering::Relaxed)
    }
}

fn store(ms: &AtomicU64, duration: Duration) {
    ms.store(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// A stream that its [`Connection`] can cut, that waits for its turn to read a request, and
/// that gives up a client who does not read.
pub(crate) struct ServerStream {
    stream: TcpStream,
    connection: Connection,
    queue: ReadQueue,
    place: ReadPlace,
    /// Runs while bytes wait; most connections never need it.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Runs while the connection is throttled.
    throttle: Option<Box<Throttled>>,
}

struct Throttled {
    delay: Pin<Box<Sleep>>,
    place: ReadPlace,
}

/// How long a connection is not read at most: half as long as it may stay idle.
const LONGEST_THROTTLE: Duration = Duration::from_secs(5);

/// How long before the time of its `Retry-After` a connection is read again, so that a client
/// that waits as it was told is never delayed.
const READ_BEFORE: Duration = Duration::from_millis(200);

impl ServerStream {
    pub(crate) fn new(stream: TcpStream, connection: Connection, queue: ReadQueue) -> Self {
        let place = ReadPlace::default();
        Self { stream, connection, queue, place, deadline: None, throttle: None }
    }

    /// Failing the write makes the server drop the stream, and with zero
    /// linger the kernel then sends a reset where it would else say goodbye.
    fn check_cut(&self) -> Result<()> {
        if !self.connection.is_cut() {
            return Ok(());
        }
        self.stream.set_zero_linger()?;
        Err(Error::new(ErrorKind::ConnectionReset, "cut on request"))
    }

    /// Pending while the connection is throttled.
    fn poll_throttle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let state = &self.connection.state;
        let ms = state.throttle_pending.swap(0, Ordering::Relaxed);
        if ms > 0 {
            let delay = Box::pin(tokio::time::sleep(Duration::from_millis(ms)));
            self.throttle = Some(Box::new(Throttled { delay, place: ReadPlace::default() }));
        }
        let Some(throttled) = &mut self.throttle else { return Poll::Ready(()) };
        let over = throttled.delay.as_mut().poll(cx).is_ready()
            || state.read_at_once.load(Ordering::Relaxed);
        store(
            &state.throttled_for,
            ready!(self.queue.poll_throttled(&mut throttled.place, over, cx)),
        );
        self.throttle = None;
        Poll::Ready(())
    }

    /// Pending while a new request waits for its turn to be read, or there is none.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let state = &self.connection.state;
        let is_new = !state.received.load(Ordering::Relaxed);
        if !is_new || state.read_at_once.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        ready!(self.stream.poll_read_ready(cx))?;
        store(&state.queued_for, ready!(self.queue.poll_turn(&mut self.place, cx)));
        Poll::Ready(Ok(()))
    }

    /// Passes on what became of a write, or an error where the client has
    /// taken nothing for too long.
    fn check_write_timeout(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<Result<usize>>,
    ) -> Poll<Result<usize>> {
        self.connection.state.blocked.store(written.is_pending(), Ordering::Relaxed);
        if written.is_ready() {
            self.deadline = None;
            return written;
        }
        let deadline =
            self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(WRITE_TIMEOUT)));
        if deadline.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.connection.state.write_stalled.store(true, Ordering::Relaxed);
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the client does not read its answer")))
    }
}

impl AsyncRead for ServerStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        ready!(self.poll_throttle(cx));
        let before = buffer.filled().len();
        let read = match self.poll_turn(cx) {
            Poll::Ready(Ok(())) => Pin::new(&mut self.stream).poll_read(cx, buffer),
            pending_or_failed => pending_or_failed,
        };
        if buffer.filled().len() > before {
            self.connection.state.received.store(true, Ordering::Relaxed);
        } else if read.is_pending() && !self.place.is_taken() && !self.connection.has_received() {
            // Nothing came during the delay, so what comes now is on time.
            store(&self.connection.state.throttled_for, Duration::ZERO);
        }
        read
    }
}

impl AsyncWrite for ServerStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize>> {
        self.check_cut()?;
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.check_write_timeout(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        self.check_cut()?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.check_write_timeout(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.check_cut()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::Instant;

    use super::*;

    /// A connection of this machine: the client's end, and the server's.
    async fn pair() -> (TcpStream, TcpStream) {
        let listener = bind("--listen", SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        (client.unwrap(), accepted.unwrap().0)
    }

    #[tokio::test]
    async fn a_connection_of_this_machine_has_several_segments_under_way_at_one_time() {
        let (client, accepted) = pair().await;
        for end in [SockRef::from(&client), SockRef::from(&accepted)] {
            assert!(end.tcp_mss().unwrap() <= MAX_SEGMENT);
        }
    }

    #[tokio::test]
    async fn what_comes_while_a_connection_is_throttled_and_there_is_no_time_to_spare_is_early() {
        const DELAY: Duration = Duration::from_millis(150);
        let (mut client, accepted) = pair().await;
        let connection = Connection::default();
        // Nobody finds time to spare in this queue.
        let mut stream = ServerStream::new(accepted, connection.clone(), ReadQueue::default());
        for (throttled, comes_before, early) in
            [(false, true, false), (true, true, true), (false, true, false), (true, false, false)]
        {
            connection.answered(throttled.then_some(READ_BEFORE + DELAY));
            connection.clear_received();
            let begun = Instant::now();
            let mut byte = [0];
            if comes_before {
                client.write_all(b"x").await.unwrap();
                stream.read_exact(&mut byte).await.unwrap();
            } else {
                let waits = tokio::time::timeout(2 * DELAY, stream.read_exact(&mut byte)).await;
                assert!(waits.is_err(), "nothing came");
                client.write_all(b"x").await.unwrap();
                stream.read_exact(&mut byte).await.unwrap();
            }
            assert_eq!(connection.throttled_for() >= DELAY, early, "{throttled} {comes_before}");
            assert!(early || connection.throttled_for().is_zero());
            assert!(!throttled || begun.elapsed() >= DELAY);
        }
    }
}
