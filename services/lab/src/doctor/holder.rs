//! Which process listens on an address; known on Linux, from `/proc`.

use std::fs::{read_dir, read_link, read_to_string};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A process that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) pid: u32,
    pub(super) name: String,
}

/// A listening socket; its inode is the name by which its process knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Listening {
    address: SocketAddr,
    inode: u64,
}

/// Who listens where `address` cannot be had; none where that cannot be seen.
/// Reads some hundred small files, so not in a task that others wait for.
pub(super) fn find(address: SocketAddr) -> Option<Holder> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(read_to_string);
    let listening = tables.iter().flatten().flat_map(|table| table.lines().filter_map(read_line));
    let inodes: Vec<_> =
        listening.filter(|one| hinders(one.address, address)).map(|one| one.inode).collect();
    if inodes.is_empty() {
        return None;
    }
    // A child may share its parent's socket; the parent is the older one.
    processes().into_iter().find(|pid| holds(*pid, &inodes)).map(|pid| {
        let name = read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        Holder { pid, name: name.trim_end().to_owned() }
    })
}

fn processes() -> Vec<u32> {
    let entries = read_dir("/proc").into_iter().flatten().flatten();
    let mut pids: Vec<_> =
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    pids
}

fn holds(pid: u32, inodes: &[u64]) -> bool {
    let files = read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    files
        .filter_map(|file| socket_inode(read_link(file.path()).ok()?.to_str()?))
        .any(|inode| inodes.contains(&inode))
}

/// The inode in the target of a link such as `socket:[159177]`.
fn socket_inode(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// A line of `/proc/net/tcp` or `tcp6`, if it is a listening socket
/// (<https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html>).
fn read_line(line: &str) -> Option<Listening> {
    const LISTEN: &str = "0A";
    let columns: Vec<_> = line.split_whitespace().collect();
    let [_, local, _, LISTEN, _, _, _, _, _, inode, ..] = columns[..] else { return None };
    let (ip, port) = local.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(Listening { address: SocketAddr::new(read_ip(ip)?, port), inode: inode.parse().ok()? })
}

/// The kernel writes an address as words of 32 bits in its own byte order.
fn read_ip(hex: &str) -> Option<IpAddr> {
    let mut bytes = Vec::new();
    for at in (0..hex.len()).step_by(8) {
        bytes.extend(u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    }
    match bytes.len() {
        4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into()),
        16 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).to_canonical()),
        _ => None,
    }
}

/// Whether a socket that listens on one address keeps another from being had:
/// whoever listens everywhere listens there too.
pub(super) fn hinders(listening: SocketAddr, wanted: SocketAddr) -> bool {
    let (one, other) = (listening.ip().to_canonical(), wanted.ip().to_canonical());
    listening.port() == wanted.port()
        && (one == other || one.is_unspecified() || other.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(local: &str, state: &str) -> String {
        format!(
            "   5: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 552 1 00000000fa62dba9 100 0 0 10 0"
        )
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn listening_sockets_are_read_and_nothing_else() {
        for (text, expected) in [
            (line("0100007F:1451", "0A"), Some("127.0.0.1:5201")),
            (line("00000000:07E8", "0A"), Some("0.0.0.0:2024")),
            (line("00000000000000000000000001000000:0BB8", "0A"), Some("[::1]:3000")),
            (line("00000000000000000000000000000000:0BB8", "0A"), Some("[::]:3000")),
            (line("0000000000000000FFFF00000100007F:0BB8", "0A"), Some("127.0.0.1:3000")),
            (line("0100007F:1451", "01"), None),
            (line("0100007F", "0A"), None),
            (line("0100007F:FFFFF", "0A"), None),
            (line("0100007:1451", "0A"), None),
            (line("", "0A"), None),
            (line(":1451", "0A"), None),
            ("  sl  local_address rem_address   st tx_queue rx_queue".to_owned(), None),
            (String::new(), None),
        ] {
            let expected =
                expected.map(|address| Listening { address: address.parse().unwrap(), inode: 552 });
            assert_eq!(read_line(&text), expected, "{text}");
        }
    }

    #[test]
    fn only_links_to_sockets_have_an_inode() {
        for (link, expected) in [
            ("socket:[159177]", Some(159_177)),
            ("socket:[]", None),
            ("socket:[1", None),
            ("pipe:[159177]", None),
            ("/dev/null", None),
        ] {
            assert_eq!(socket_inode(link), expected, "{link}");
        }
    }

    #[test]
    fn whoever_listens_everywhere_hinders_everybody() {
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
            let hinders = hinders(listening.parse().unwrap(), wanted.parse().unwrap());
            assert_eq!(hinders, expected, "{listening} {wanted}");
        }
    }
}
