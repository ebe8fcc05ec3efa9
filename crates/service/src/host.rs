//! Which hosts a program answers for.
//!
//! A page loaded from a name can send requests to this program under that name
//! if the owner of the name makes it resolve to this machine (DNS rebinding).
//! The browser then takes both for one origin. So every name must be known
//! here. An IP address needs no name server, and nobody can make a loopback
//! name resolve to anything else.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use http::Version;
use http::uri::Authority;

/// The longest host name, in characters (RFC 1035, 2.3.4).
const MAX_NAME: usize = 253;

/// The port of an authority that names none.
const DEFAULT_PORT: u16 = 80;

/// The host names that a program answers for, besides IP addresses and
/// loopback names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(Arc<[HostName]>);

impl AllowedHosts {
    /// Whether a program with this setting answers for a host.
    pub(crate) fn allows(&self, host: &HostName) -> bool {
        match host {
            HostName::Address(_) => true,
            HostName::Name(name) => {
                name == "localhost" || name.ends_with(".localhost") || self.0.contains(host)
            }
        }
    }
}

impl FromStr for AllowedHosts {
    type Err = String;

    /// # Errors
    ///
    /// When a part of the list is no host name; the error quotes that part.
    fn from_str(text: &str) -> Result<Self, String> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let host = |entry: &str| {
            HostName::parse(entry).ok_or_else(|| {
                format!("expected host names without a port, separated by commas, got {entry:?}")
            })
        };
        entries.map(host).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for AllowedHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&names.join(","))
    }
}

/// The host of an authority, in a form that can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostName {
    Address(IpAddr),
    /// In lower case, without the dot that a full name may end with.
    Name(String),
}

impl HostName {
    fn parse(text: &str) -> Option<Self> {
        if let Some(inside) = text.strip_prefix('[') {
            let address: Ipv6Addr = inside.strip_suffix(']')?.parse().ok()?;
            return Some(Self::Address(address.into()));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        // Compose's names may have an underscore, although DNS's host names have none.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        ((1..=MAX_NAME).contains(&name.len()) && name.bytes().all(plain))
            .then_some(Self::Name(name))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A host and its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: HostName,
    pub(crate) port: u16,
}

impl Host {
    /// Reads `HOST` or `HOST:PORT`.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        Self::of(&Authority::try_from(text).ok()?)
    }

    fn of(authority: &Authority) -> Option<Self> {
        // This also refuses a user's name before the host.
        let port = authority.as_str().strip_prefix(authority.host())?;
        let port = match port {
            "" | ":" => DEFAULT_PORT,
            _ => number(port.strip_prefix(':')?)?,
        };
        Some(Self { name: HostName::parse(authority.host())?, port })
    }
}

/// A number without the sign that Rust would also read.
fn number(digits: &str) -> Option<u16> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Why the host that a request names cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvalidHost {
    Missing,
    Repeated,
    Malformed,
}

/// The host that a request is for: the authority of its target where there is
/// one, else its only `Host` (RFC 9112, 3.2). An old client may name none.
pub(crate) fn of_request<'a>(
    version: Version,
    target: Option<&Authority>,
    mut headers: impl Iterator<Item = &'a [u8]>,
) -> Result<Option<Host>, InvalidHost> {
    let header = match headers.next() {
        Some(header) => Some(Host::parse(header).ok_or(InvalidHost::Malformed)?),
        None if version < Version::HTTP_11 => None,
        None => return Err(InvalidHost::Missing),
    };
    if headers.next().is_some() {
        return Err(InvalidHost::Repeated);
    }
    match target {
        Some(target) => Host::of(target).map(Some).ok_or(InvalidHost::Malformed),
        None => Ok(header),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(allowed: &str, host: &str) -> Option<bool> {
        let allowed: AllowedHosts = allowed.parse().unwrap();
        Host::parse(host.as_bytes()).map(|host| allowed.allows(&host.name))
    }

    #[test]
    fn addresses_and_loopback_names_need_no_setting() {
        for host in [
            "127.0.0.1",
            "10.244.0.7:5201",
            "0.0.0.0",
            "[::1]",
            "[fe80::1]:5201",
            "localhost",
            "LOCALHOST:1",
            "localhost.",
            "a.b.localhost:",
        ] {
            assert_eq!(allows("", host), Some(true), "{host}");
        }
    }

    #[test]
    fn any_other_name_must_be_in_the_setting_as_a_whole() {
        let setting = "order, Cafe.Example.,,under_score,10.0.0.1,[::1]";
        for (host, expected) in [
            ("order", true),
            ("ORDER:5201", true),
            ("cafe.example", true),
            ("cafe.example.:80", true),
            ("under_score", true),
            ("evil.example", false),
            ("cafe.example.evil.example", false),
            ("x.cafe.example", false),
            ("xorder", false),
            ("notlocalhost", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.nip.io", false),
            ("2130706433", false),
        ] {
            assert_eq!(allows(setting, host), Some(expected), "{host}");
            assert_eq!(allows("", host), Some(false), "{host}");
        }
    }

    #[test]
    fn a_list_that_has_something_else_than_names_is_refused_with_that_part() {
        for (list, part) in [
            ("cafe:5201", "\"cafe:5201\""),
            ("a,http://b", "\"http://b\""),
            ("*", "\"*\""),
            ("a b", "\"a b\""),
            ("café", "\"café\""),
            ("::1", "\"::1\""),
            (&"x".repeat(254), "xxx"),
        ] {
            let error = list.parse::<AllowedHosts>().unwrap_err();
            assert!(error.starts_with("expected host names") && error.contains(part), "{error}");
        }
        let list: AllowedHosts = " A. , b,, [::1]".parse().unwrap();
        assert_eq!(list.to_string(), "a,b,[::1]");
        assert_eq!(list.to_string().parse(), Ok(list));
    }

    #[test]
    fn what_is_no_host_and_port_is_malformed() {
        for text in [
            "", ":80", "a:b", "a:-1", "a:+1", "a:65536", "me@a", "a/b", "a b", "::1", "[::1",
            "[::1]x", "[a]", "a%41", "http://a", "a,b", "a?b", "é",
        ] {
            assert_eq!(Host::parse(text.as_bytes()), None, "{text}");
        }
        let host = Host::parse(b"[::1]:5201").unwrap();
        assert_eq!((host.name.to_string().as_str(), host.port), ("[::1]", 5201));
        assert_eq!(Host::parse(b"a"), Host::parse(b"A.:80"));
    }

    #[test]
    fn the_target_stands_above_the_one_host_that_there_must_be() {
        let host = |text: &str| Host::parse(text.as_bytes());
        let (old, new) = (Version::HTTP_10, Version::HTTP_11);
        for (version, target, headers, expected) in [
            (new, None, &["a:1"][..], Ok(host("a:1"))),
            (new, Some("b:2"), &["a:1"], Ok(host("b:2"))),
            (new, Some("me@b"), &["a"], Err(InvalidHost::Malformed)),
            (new, Some("b"), &[], Err(InvalidHost::Missing)),
            (new, None, &[], Err(InvalidHost::Missing)),
            (new, None, &["a", "a"], Err(InvalidHost::Repeated)),
            (new, Some("b"), &["a", "b"], Err(InvalidHost::Repeated)),
            (new, None, &["a/"], Err(InvalidHost::Malformed)),
            (old, None, &[], Ok(None)),
            (old, None, &["a"], Ok(host("a"))),
        ] {
            let authority = target.map(|text: &str| Authority::try_from(text).unwrap());
            let headers_given = headers.iter().map(|text| text.as_bytes());
            let found = of_request(version, authority.as_ref(), headers_given);
            assert_eq!(found, expected, "{version:?} {target:?} {headers:?}");
        }
    }
}
