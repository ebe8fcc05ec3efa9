//! An address that a test may name before a program listens there, or after.

use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// A port that the system gives to nobody else while this value is kept. It
/// refuses connections until a program is told to listen on it.
///
/// The socket is bound and does not listen. As it allows reuse, a program that
/// names the port gets it, and again after the program has ended.
#[derive(Debug)]
pub struct ReservedPort(TcpSocket);

impl ReservedPort {
    /// Reserves a port of the loopback address.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn take() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("an option of every socket");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
        Self(socket)
    }

    /// The address, as `127.0.0.1:PORT`.
    ///
    /// # Panics
    ///
    /// When the system does not tell it.
    #[must_use]
    pub fn address(&self) -> String {
        self.0.local_addr().expect("an address").to_string()
    }

    /// The address as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }
}
