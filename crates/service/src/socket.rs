//! Sockets: bound with a clear word, and cut on purpose.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::Failure;

/// Binds an address.
///
/// # Errors
///
/// A sentence naming the setting, the address and what is wrong with it.
pub async fn bind(setting: &str, address: SocketAddr) -> std::result::Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| Failure::Misuse(match error.kind() {
        ErrorKind::AddrInUse => format!(
            "{setting}: {address} is taken by another program; choose another address, or :0 for any free port"
        ),
        _ => format!("{setting}: cannot listen on {address}: {error}"),
    }))
}

/// The connection a request came in on; in the request's extensions.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    cut: Arc<AtomicBool>,
}

impl Connection {
    /// Cuts the connection as a broken network would: with a reset, and
    /// without a byte of the answer.
    ///
    /// It takes effect when the answer would be written, so return one.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::Release);
    }

    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }
}

/// A stream that its [`Connection`] can cut.
pub(crate) struct Cuttable {
    stream: TcpStream,
    connection: Connection,
}

impl Cuttable {
    pub(crate) fn new(stream: TcpStream) -> (Self, Connection) {
        let connection = Connection::default();
        (Self { stream, connection: connection.clone() }, connection)
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
}

impl AsyncRead for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
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
