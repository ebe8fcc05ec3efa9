//! Sockets: bound with a clear error, cut on request, closed when the client does not read.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;

use crate::ExitError;

/// What the kernel may keep for each direction of a connection, in bytes; Linux
/// doubles it. By default it grows to megabytes for a client that does not read,
/// and a container's limit counts them.
const KERNEL_BUFFER: usize = 32 * 1024;

/// The largest segment of a connection, in bytes. On loopback it would be 64 KiB, and no
/// second one would fit into the buffer: the receiver acknowledges a lone segment only
/// after 40 ms, so an answer of 350 kB would take 220 ms. Segments of a network are smaller.
const MAX_SEGMENT: u32 = 8 * 1024;

/// Binds an address.
///
/// # Errors
///
/// A sentence naming the setting, the address and what is wrong with it.
pub async fn bind(
    setting: &str,
    address: SocketAddr,
) -> std::result::Result<TcpListener, ExitError> {
    let listener = TcpListener::bind(address).await.map_err(|error| ExitError::Usage(match error.kind() {
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
    /// How many of its last requests in a row were refused and throttled.
    refusals: AtomicU32,
    /// Whether the next read is delayed.
    throttle_pending: AtomicBool,
    /// Whether it is read without a delay, because it is about to be closed.
    throttle_lifted: AtomicBool,
    early: AtomicBool,
}

impl Connection {
    /// Cuts the connection as a broken network would: with a reset, and
    /// without a byte of the answer.
    ///
    /// It takes effect when the answer would be written, so return one.
    pub fn cut(&self) {
        self.state.cut.store(true, Ordering::Release);
    }

    /// Whether the request came while the connection was throttled after a refusal: its
    /// client did not wait as long as `Retry-After` asked.
    #[must_use]
    pub fn is_early(&self) -> bool {
        self.state.early.load(Ordering::Relaxed)
    }

    /// A request was answered. The next one is read after a delay if
    /// `throttle`.
    pub(crate) fn answered(&self, throttle: bool) {
        if throttle {
            self.state.refusals.fetch_add(1, Ordering::Relaxed);
        } else {
            self.state.refusals.store(0, Ordering::Relaxed);
        }
        self.state.early.store(false, Ordering::Relaxed);
        self.state.throttle_pending.store(throttle, Ordering::Relaxed);
    }

    /// Reads what has come, even if the connection is throttled.
    pub(crate) fn lift_throttle(&self) {
        self.state.throttle_lifted.store(true, Ordering::Relaxed);
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

/// A stream that its [`Connection`] can cut, and that gives up a client who
/// does not read.
pub(crate) struct ServerStream {
    stream: TcpStream,
    connection: Connection,
    /// Runs while bytes wait; most connections never need it.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Runs while the connection is throttled.
    throttle: Option<Pin<Box<Sleep>>>,
}

/// How long a connection is not read after so many refusals in a row. The first delay is
/// hardly noticed. The longest is shorter than the `Retry-After` of every refusal, so a
/// client that waits as it was told is never delayed.
///
/// Under overload most requests come from clients that do not wait. A refusal costs a
/// third of an order, so a service that answers them all at once has no time for orders.
fn throttle_delay(refused: u32) -> Duration {
    const FIRST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_millis(800);
    FIRST.saturating_mul(1 << refused.saturating_sub(1).min(8)).min(LONGEST)
}

impl ServerStream {
    pub(crate) const fn new(stream: TcpStream, connection: Connection) -> Self {
        Self { stream, connection, deadline: None, throttle: None }
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
        if state.throttle_pending.swap(false, Ordering::Relaxed) {
            let delay = throttle_delay(state.refusals.load(Ordering::Relaxed));
            self.throttle = Some(Box::pin(tokio::time::sleep(delay)));
        }
        let Some(delay) = &mut self.throttle else { return Poll::Ready(()) };
        if delay.as_mut().poll(cx).is_pending() && !state.throttle_lifted.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        self.throttle = None;
        state.early.store(true, Ordering::Relaxed);
        Poll::Ready(())
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
        if self.poll_throttle(cx).is_pending() {
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.connection.state.received.store(true, Ordering::Relaxed);
        } else if read.is_pending() && !self.connection.has_received() {
            // Nothing came during the delay, so what comes now is on time.
            self.connection.state.early.store(false, Ordering::Relaxed);
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
    use super::*;

    #[tokio::test]
    async fn a_connection_of_this_machine_has_several_segments_under_way_at_one_time() {
        let listener = bind("--listen", SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        let (client, (accepted, _)) = (client.unwrap(), accepted.unwrap());
        for end in [SockRef::from(&client), SockRef::from(&accepted)] {
            assert!(end.tcp_mss().unwrap() <= MAX_SEGMENT);
        }
    }

    #[test]
    fn each_refusal_in_a_row_doubles_the_delay_up_to_less_than_a_second() {
        let delays =
            [1, 2, 3, 4, 5, 6, 40, u32::MAX].map(|refused| throttle_delay(refused).as_millis());
        assert_eq!(delays, [50, 100, 200, 400, 800, 800, 800, 800]);
    }
}
