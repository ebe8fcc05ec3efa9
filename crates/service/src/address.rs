//! What the address that a program listens on means for others.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

/// An address under which a program on this machine reaches one that listens
/// on `listen`: the loopback address if that is every address there is.
#[must_use]
pub const fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        _ => return listen,
    };
    SocketAddr::new(ip, listen.port())
}

/// A sentence about who can do what, if others than this machine may reach the
/// listener: nothing here asks who somebody is.
#[must_use]
pub fn exposure_notice(listener: &TcpListener, what: &str) -> Option<String> {
    let address = listener.local_addr().ok()?;
    (!address.ip().to_canonical().is_loopback())
        .then(|| format!("no authentication: anybody who reaches {address} can {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_reached_at_the_loopback_address() {
        for (listen, reached) in
            [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:2", "[::1]:2"), ("127.0.0.5:3", "127.0.0.5:3")]
        {
            assert_eq!(reachable(listen.parse().unwrap()), reached.parse().unwrap());
        }
    }

    #[tokio::test]
    async fn only_a_listener_that_others_may_reach_opens_something() {
        for (listen, open) in [("127.0.0.1:0", false), ("127.9.9.9:0", false), ("0.0.0.0:0", true)]
        {
            let listener = TcpListener::bind(listen).await.unwrap();
            let said = exposure_notice(&listener, "order");
            assert_eq!(said.is_some(), open, "{listen}: {said:?}");
        }
    }
}
