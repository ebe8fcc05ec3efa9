//! Whether the ports are free, and which process has them if not.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use reqwest::Client;
use tokio::net::TcpListener;

use super::check::Check;
use super::owner::{self, PortOwner};
use super::probe::{identify, our_program, probe};
use super::target::{Kind, Target};
use super::{Listen, Profile};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The process that holds the ports of a container.
const DOCKER_PROXY: &str = "docker-proxy";

/// A port that a program would use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Port {
    kind: Kind,
    /// The variable that sets it.
    variable: Option<&'static str>,
    address: SocketAddr,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Free,
    /// No process has it, and still it cannot be used.
    Refused(String),
    Taken(Option<PortOwner>, Occupant),
}

/// The program that answers on a port that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occupant {
    Ours(Kind),
    /// The program that belongs there: Jaeger on Jaeger's port.
    Expected,
    Other,
}

pub(super) async fn examine(profile: Profile, listen: &Listen, http: &Client) -> Vec<Check> {
    let ports = ports(profile, listen);
    let looking: Vec<_> = ports
        .iter()
        .map(|port| {
            tokio::spawn({
                let (port, http) = (*port, http.clone());
                async move { look(port, &http).await }
            })
        })
        .collect();
    let mut states = Vec::new();
    for state in looking {
        states.push(state.await.unwrap_or_else(|error| State::Refused(error.to_string())));
    }
    let is_ours = |state: &State| matches!(state, State::Taken(_, Occupant::Ours(_)));
    let running = states.iter().any(is_ours);
    ports.iter().zip(&states).map(|(port, state)| judge(profile, port, state, running)).collect()
}

fn ports(profile: Profile, listen: &Listen) -> Vec<Port> {
    let service = |kind, variable, address| Port { kind, variable: Some(variable), address };
    let tool =
        |kind, port| Port { kind, variable: None, address: SocketAddr::new(LOCALHOST, port) };
    let mut ports = vec![
        service(Kind::Inventory, "INVENTORY_LISTEN", listen.inventory_listen),
        service(Kind::Order, "ORDER_LISTEN", listen.order_listen),
        service(Kind::Lab, "LAB_LISTEN", listen.lab_listen),
    ];
    if profile != Profile::Lab {
        ports.extend([
            tool(Kind::Jaeger, 16686),
            tool(Kind::Prometheus, 9090),
            tool(Kind::Grafana, 3000),
        ]);
    }
    ports
}

async fn look(port: Port, http: &Client) -> State {
    match TcpListener::bind(port.address).await {
        Ok(_) => State::Free,
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let find = tokio::task::spawn_blocking(move || owner::find(port.address));
            let (owner, occupant) = tokio::join!(find, occupant(port, http));
            State::Taken(owner.ok().flatten(), occupant)
        }
        Err(error) => State::Refused(error.to_string()),
    }
}

async fn occupant(port: Port, http: &Client) -> Occupant {
    let Some(target) = Target::listening(port.kind, port.address) else { return Occupant::Other };
    let Ok(answer) = probe(http, &target).await else { return Occupant::Other };
    match our_program(&answer.metrics) {
        Some(kind) if answer.status == 200 => Occupant::Ours(kind),
        _ if identify(port.kind, &answer).is_ok() => Occupant::Expected,
        _ => Occupant::Other,
    }
}

/// `running` says that a CampusCafe runs here. Then a Jaeger on Jaeger's port is
/// part of it. Otherwise the Jaeger is another one and a conflict.
fn judge(profile: Profile, port: &Port, state: &State, running: bool) -> Check {
    let number = port.address.port();
    let name = format!("port {number} ({})", port.kind.name());
    let (found, owner) = match state {
        State::Free => return Check::ok(name, "free"),
        State::Refused(why) => (format!("cannot listen on {}: {why}", port.address), None),
        State::Taken(owner, Occupant::Ours(kind)) => {
            return of_our_own(profile, name, owner.as_ref(), *kind);
        }
        State::Taken(_, Occupant::Expected) if running => {
            return Check::note(
                name,
                format!("in use by {}, which is already running", port.kind.noun()),
            );
        }
        State::Taken(Some(owner), _) => {
            (format!("in use by {} (pid {})", owner.name, owner.pid), Some(owner))
        }
        State::Taken(None, _) => (
            "in use by a process that this user cannot see; as root, run: ss -ltnp".to_owned(),
            None,
        ),
    };
    let fix = match (profile, port.variable, owner) {
        (Profile::Lab, Some(variable), _) => {
            let refused = matches!(state, State::Refused(_));
            let ip = if refused { LOCALHOST } else { port.address.ip() };
            format!("{variable}={} campuscafe", SocketAddr::new(ip, 0))
        }
        // It only forwards bytes; without its container it comes back.
        (_, _, Some(owner)) if owner.name == DOCKER_PROXY => {
            format!("docker stop $(docker ps -q --filter publish={number})")
        }
        // The first process of a system listens for others, and must not end.
        (_, _, Some(owner)) if owner.pid != 1 => format!("kill {}", owner.pid),
        (_, Some(variable), None) if matches!(state, State::Refused(_)) => {
            format!("unset {variable}")
        }
        _ => format!("sudo ss -ltnp 'sport = :{number}'"),
    };
    Check::bad(name, found, fix)
}

/// A café that runs is no fault: experiments use it. It is in the way of one that is to
/// be opened by another way of running.
fn of_our_own(profile: Profile, name: String, owner: Option<&PortOwner>, kind: Kind) -> Check {
    let pid = owner.map(|owner| format!(", pid {}", owner.pid)).unwrap_or_default();
    let found = format!("in use by a running CampusCafe ({}{pid})", kind.name());
    match (profile, owner) {
        (Profile::Lab, _) => Check::note(name, format!("{found}; stop it to start another")),
        (_, Some(owner)) if owner.name != DOCKER_PROXY => {
            let found = format!("{found}, which runs outside Docker");
            Check::bad(name, found, format!("kill {}", owner.pid))
        }
        _ => Check::note(name, found),
    }
}

#[cfg(test)]
mod tests;
