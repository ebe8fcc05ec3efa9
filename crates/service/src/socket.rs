//! Sockets: bound with a clear word, cut on purpose, closed on who does not read.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;

use crate::Failure;

/// What the kernel may keep for each direction of a connection, in bytes; Linux
/// doubles it. By default it grows to megabytes for a client that does not read,
/// and a container's limit counts them.
const KERNEL_BUFFER: usize = 32 * 1024;

/// Binds an address.
///
/// # Errors
///
/// A sentence naming the setting, the address and what is wrong with it.
pub async fn bind(setting: &str, address: SocketAddr) -> std::result::Result<TcpListener, Failure> {
    let listener = TcpListener::bind(address).await.map_err(|error| Failure::Misuse(match error.kind() {
        ErrorKind::AddrInUse => format!(
            "{setting}: {address} is taken by another program; choose another address, or :0 for any free port"
        ),
        _ => format!("{setting}: cannot listen on {address}: {error}"),
    }))?;
    // Accepted sockets inherit them. A platform that refuses keeps its own.
    let socket = SockRef::from(&listener);
    let _ = socket.set_send_buffer_size(KERNEL_BUFFER);
    let _ = socket.set_recv_buffer_size(KERNEL_BUFFER);
    Ok(listener)
}

/// How long a client may leave an answer unread before its connection is closed.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// The connection a request came in on; in the request's extensions.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    state: Arc<State>,
}

/// What is known of a connection outside of the server that reads and writes it.
#[derive(Debug, Default)]
struct State {
    cut: AtomicBool,
    heard: AtomicBool,
    blocked: AtomicBool,
    unread: AtomicBool,
}

impl Connection {
    /// Cuts the connection as a broken network would: with a reset, and
    /// without a byte of the answer.
    ///
    /// It takes effect when the answer would be written, so return one.
    pub fn cut(&self) {
        self.state.cut.store(true, Ordering::Release);
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.state.cut.load(Ordering::Acquire)
    }

    /// Whether the client sent anything since its last request was answered.
    pub(crate) fn is_heard(&self) -> bool {
        self.state.heard.load(Ordering::Relaxed)
    }

    pub(crate) fn forget_heard(&self) {
        self.state.heard.store(false, Ordering::Relaxed);
    }

    /// Whether bytes wait until the client reads those before them.
    pub(crate) fn is_blocked(&self) -> bool {
        self.state.blocked.load(Ordering::Relaxed)
    }

    /// Whether the client left an answer unread for too long.
    pub(crate) fn is_unread(&self) -> bool {
        self.state.unread.load(Ordering::Relaxed)
    }
}

/// A stream that its [`Connection`] can cut, and that gives up a client who
/// does not read.
pub(crate) struct Cuttable {
    stream: TcpStream,
    connection: Connection,
    /// Runs while bytes wait; most connections never need it.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Cuttable {
    pub(crate) const fn new(stream: TcpStream, connection: Connection) -> Self {
        Self { stream, connection, deadline: None }
    }

    /// Failing the write makes the server drop the stream, and with zero
    /// linger the kernel then sends a reset where it would else say goodbye.
    fn check(&self) -> Result<()> {
        if !self.connection.is_cut() {
            return Ok(());
        }
        self.stream.set_zero_linger()?;
        Err(Error::new(ErrorKind::ConnectionReset, "cut on request"))
    }

    /// Passes on what became of a write, or an error where the client has
    /// taken nothing for too long.
    fn watch(&mut self, cx: &mut Context<'_>, written: Poll<Result<usize>>) -> Poll<Result<usize>> {
        self.connection.state.blocked.store(written.is_pending(), Ordering::Relaxed);
        if written.is_ready() {
            self.deadline = None;
            return written;
        }
        let deadline =
            self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(WRITE_LIMIT)));
        if deadline.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.connection.state.unread.store(true, Ordering::Relaxed);
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the client does not read its answer")))
    }
}

impl AsyncRead for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.connection.state.heard.store(true, Ordering::Relaxed);
        }
        read
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
