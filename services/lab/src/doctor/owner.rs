//! Which process listens on an address. Known on Linux only.

use std::net::SocketAddr;

/// A process that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PortOwner {
    pub(super) pid: i32,
    pub(super) name: String,
}

/// The process whose socket conflicts with `address`; none where that cannot be seen.
/// It reads some hundred small files, so it must not run in an async task.
#[cfg(target_os = "linux")]
pub(super) fn find(address: SocketAddr) -> Option<PortOwner> {
    use procfs::net::{TcpState, tcp, tcp6};
    use procfs::process::{FDTarget, Process, all_processes};

    // A system without IPv6 has no second table.
    let sockets = [tcp(), tcp6()].into_iter().flatten().flatten();
    let inodes: Vec<u64> = sockets
        .filter(|socket| socket.state == TcpState::Listen)
        .filter(|socket| conflicts_with(socket.local_address, address))
        .map(|socket| socket.inode)
        .collect();
    let owns = |process: &Process| {
        let mut files = process.fd().into_iter().flatten().flatten();
        files.any(|file| matches!(file.target, FDTarget::Socket(inode) if inodes.contains(&inode)))
    };
    // A child may share its parent's socket. The kernel lists the parent first.
    let owner = all_processes().ok()?.flatten().find(owns)?;
    Some(PortOwner { pid: owner.pid, name: owner.stat().ok()?.comm })
}

#[cfg(not(target_os = "linux"))]
pub(super) const fn find(_: SocketAddr) -> Option<PortOwner> {
    None
}

/// Whether a socket that listens on one address prevents listening on another: a
/// socket on the unspecified address listens on every address.
#[cfg(any(target_os = "linux", test))]
fn conflicts_with(listening: SocketAddr, wanted: SocketAddr) -> bool {
    let (one, other) = (listening.ip().to_canonical(), wanted.ip().to_canonical());
    listening.port() == wanted.port()
        && (one == other || one.is_unspecified() || other.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_conflict_when_they_are_equal_or_one_is_unspecified() {
        for (listening, wanted, expected) in [
            ("127.0.0.1:80", "127.0.0.1:80", true),
            ("127.0.0.1:80", "127.0.0.1:81", false),
            ("127.0.0.1:80", "127.0.0.2:80", false),
            ("0.0.0.0:80", "127.0.0.1:80", true),
            ("[::]:80", "127.0.0.1:80", true),
            ("127.0.0.1:80", "0.0.0.0:80", true),
            ("[::1]:80", "127.0.0.1:80", false),
            ("[::ffff:127.0.0.1]:80", "127.0.0.1:80", true),
        ] {
            let conflicts = conflicts_with(listening.parse().unwrap(), wanted.parse().unwrap());
            assert_eq!(conflicts, expected, "{listening} {wanted}");
        }
    }
}
