//! Whether the ports are free, and who has them if not.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};

use reqwest::Client;
use tokio::net::TcpListener;

use super::ask::{Reply, ask};
use super::check::{Check, Verdict};
use super::holder::{self, Holder};
use super::reach::{Seen, identify, service};
use super::target::{Kind, Target};
use super::{Listen, Way};

/// A port that would be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Port {
    kind: Kind,
    /// The variable that moves it.
    variable: Option<&'static str>,
    address: SocketAddr,
}

/// What a port is like.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Free,
    /// Port 0: the system picks one.
    Any,
    /// Another of our ports is the same.
    SameAs(Kind),
    /// Nobody has it, and still it cannot be had.
    Refused(String),
    Taken {
        by: Option<Holder>,
        occupant: Occupant,
    },
}

/// What answers on a port that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occupant {
    Cafe(Kind),
    /// What would be there in any case: Jaeger on Jaeger's port.
    Same,
    Stranger,
}

pub(super) async fn examine(way: Way, listen: &Listen, http: &Client) -> Vec<Check> {
    let ports = ports(way, listen);
    let looking: Vec<_> = ports
        .iter()
        .enumerate()
        .map(|(at, port)| {
            let (port, http) = (*port, http.clone());
            let same = same_as(&ports[..at], port.address);
            tokio::spawn(async move { look(port, same, &http).await })
        })
        .collect();
    let mut states = Vec::new();
    for state in looking {
        let state = state.await;
        states.push(state.unwrap_or_else(|error| State::Refused(error.to_string())));
    }
    let open = states.iter().any(is_cafe);
    let line = |(port, state): (&Port, &State)| {
        let name = format!("port {} ({})", port.address.port(), port.kind.name());
        verdict(way, port, state, open).of(name, true)
    };
    ports.iter().zip(&states).map(line).collect()
}

fn ports(way: Way, listen: &Listen) -> Vec<Port> {
    let service = |kind, variable, address| Port { kind, variable: Some(variable), address };
    let tool = |kind, port| Port {
        kind,
        variable: None,
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
    };
    let mut ports = vec![
        service(Kind::Inventory, "INVENTORY_LISTEN", listen.inventory_listen),
        service(Kind::Order, "ORDER_LISTEN", listen.order_listen),
        service(Kind::Lab, "LAB_LISTEN", listen.lab_listen),
    ];
    if way != Way::Lab {
        ports.extend([
            tool(Kind::Jaeger, 16686),
            tool(Kind::Prometheus, 9090),
            tool(Kind::Grafana, 3000),
        ]);
    }
    ports
}

/// Which of the ports before it would be in its way.
fn same_as(before: &[Port], address: SocketAddr) -> Option<Kind> {
    let same = |port: &&Port| address.port() != 0 && holder::hinders(port.address, address);
    before.iter().find(same).map(|port| port.kind)
}

async fn look(port: Port, same: Option<Kind>, http: &Client) -> State {
    if let Some(kind) = same {
        return State::SameAs(kind);
    }
    if port.address.port() == 0 {
        return State::Any;
    }
    match TcpListener::bind(port.address).await {
        Ok(_) => State::Free,
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let find = tokio::task::spawn_blocking(move || holder::find(port.address));
            let (by, occupant) = tokio::join!(find, occupant(port, http));
            State::Taken { by: by.ok().flatten(), occupant }
        }
        Err(error) => State::Refused(error.to_string()),
    }
}

async fn occupant(port: Port, http: &Client) -> Occupant {
    let Some(target) = Target::listening(port.kind, port.address) else {
        return Occupant::Stranger;
    };
    let Reply::Answered(answer) = ask(http, &target).await else { return Occupant::Stranger };
    match service(&answer.metrics) {
        Some(kind) if answer.status == 200 => Occupant::Cafe(kind),
        _ if identify(port.kind, &answer) == Seen::Itself => Occupant::Same,
        _ => Occupant::Stranger,
    }
}

const fn is_cafe(state: &State) -> bool {
    matches!(state, State::Taken { occupant: Occupant::Cafe(_), .. })
}

/// `open` says that a CampusCafe runs here. Then a Jaeger on its port is part of
/// it; else it is somebody else's, and in the way.
fn verdict(way: Way, port: &Port, state: &State, open: bool) -> Verdict {
    match state {
        State::Free => Verdict::ok("free"),
        State::Any => Verdict::ok("any that is free"),
        State::SameAs(kind) => {
            Verdict::bad(format!("{} has the same address", kind.noun()), apart(way, port))
        }
        State::Refused(why) => {
            Verdict::bad(format!("{} cannot be had: {why}", port.address), apart(way, port))
        }
        State::Taken { by, occupant: Occupant::Cafe(kind) } => Verdict::note(format!(
            "taken by a CampusCafe that is already running ({}{})",
            kind.name(),
            by.as_ref().map(|by| format!(", pid {}", by.pid)).unwrap_or_default(),
        )),
        State::Taken { occupant: Occupant::Same, .. } if open => {
            Verdict::note(format!("taken by {}, which is already running", port.kind.noun()))
        }
        State::Taken { by: Some(by), .. } => Verdict::bad(
            format!("taken by {} (pid {})", by.name, by.pid),
            free(way, port, Some(by)),
        ),
        State::Taken { by: None, .. } => Verdict::bad(
            "taken by a process that cannot be seen; try as root: ss -ltnp",
            free(way, port, None),
        ),
    }
}

/// What to do about an address that cannot be had at all.
fn apart(way: Way, port: &Port) -> String {
    match (way, port.variable) {
        (Way::Lab, Some(variable)) => format!("{variable}=127.0.0.1:0 campuscafe"),
        _ => "unset INVENTORY_LISTEN ORDER_LISTEN LAB_LISTEN".to_owned(),
    }
}

/// What to do about a port that somebody has: go elsewhere where that is easy.
fn free(way: Way, port: &Port, by: Option<&Holder>) -> String {
    let number = port.address.port();
    match (way, port.variable, by) {
        (Way::Lab, Some(variable), _) => {
            format!("{variable}={} campuscafe", SocketAddr::new(port.address.ip(), 0))
        }
        // It only carries the bytes, and Docker would wonder where it went.
        (_, _, Some(by)) if by.name == "docker-proxy" => {
            format!("docker stop $(docker ps -q --filter publish={number})")
        }
        // The first process of a system listens for others, and must not end.
        (_, _, Some(by)) if by.pid != 1 => format!("kill {}", by.pid),
        _ => format!("sudo ss -ltnp 'sport = :{number}'"),
    }
}

#[cfg(test)]
mod tests;
