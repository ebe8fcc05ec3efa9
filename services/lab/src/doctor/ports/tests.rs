//! The checks of ports, from their states.

use super::*;

fn taken(owner: Option<(i32, &str)>, occupant: Occupant) -> State {
    State::Taken(owner.map(|(pid, name)| PortOwner { pid, name: name.to_owned() }), occupant)
}

fn order() -> Port {
    let address = "127.0.0.1:5201".parse().unwrap();
    Port { kind: Kind::Order, variable: Some("ORDER_LISTEN"), address }
}

fn jaeger() -> Port {
    Port { kind: Kind::Jaeger, variable: None, address: "127.0.0.1:16686".parse().unwrap() }
}

#[test]
fn the_tools_need_ports_in_containers_only() {
    let address = |text: &str| text.parse().unwrap();
    let listen = Listen {
        inventory_listen: address("127.0.0.1:5101"),
        order_listen: address("0.0.0.0:80"),
        lab_listen: address("[::1]:0"),
    };
    let numbers = |profile| -> Vec<u16> {
        ports(profile, &listen).iter().map(|port| port.address.port()).collect()
    };
    assert_eq!(numbers(Profile::Lab), [5101, 80, 0]);
    assert_eq!(numbers(Profile::Compose), [5101, 80, 0, 16686, 9090, 3000]);
    assert_eq!(numbers(Profile::Kind), numbers(Profile::Compose));
}

#[test]
fn a_free_port_is_ok_and_one_of_a_running_cafe_is_a_note() {
    use Occupant::{Expected, Ours};
    let check = |port, state, running| judge(Profile::Compose, &port, &state, running);
    let (order_port, jaeger_port) = ("port 5201 (order)", "port 16686 (Jaeger)");
    assert_eq!(check(order(), State::Free, false), Check::ok(order_port, "free"));
    let ours = check(order(), taken(Some((9, "docker-proxy")), Ours(Kind::Order)), true);
    let found = "in use by a running CampusCafe (order, pid 9)";
    assert_eq!(ours, Check::note(order_port, found));
    let proxy = || taken(Some((7, "docker-proxy")), Expected);
    let found = "in use by Jaeger, which is already running";
    assert_eq!(check(jaeger(), proxy(), true), Check::note(jaeger_port, found));
    // Without a CampusCafe it is somebody else's Jaeger.
    let found = "in use by docker-proxy (pid 7)";
    let fix = "docker stop $(docker ps -q --filter publish=16686)";
    assert_eq!(check(jaeger(), proxy(), false), Check::bad(jaeger_port, found, fix));
}

#[test]
fn a_cafe_that_runs_another_way_is_in_the_way_of_containers_and_said_to_be_open_without() {
    let check = |profile| {
        let state = taken(Some((9, "campuscafe")), Occupant::Ours(Kind::Order));
        judge(profile, &order(), &state, true)
    };
    let found = "in use by a running CampusCafe (order, pid 9)";
    let note = format!("{found}; stop it to start another");
    assert_eq!(check(Profile::Lab), Check::note("port 5201 (order)", note));
    for profile in [Profile::Compose, Profile::Kind] {
        let bad = format!("{found}, which runs outside Docker");
        assert_eq!(check(profile), Check::bad("port 5201 (order)", bad, "kill 9"));
    }
}

#[test]
fn a_port_that_cannot_be_used_gets_a_fix_for_its_profile() {
    let refused = || State::Refused("no such address".to_owned());
    let unseen = "in use by a process that this user cannot see; as root, run: ss -ltnp";
    let ask_root = "sudo ss -ltnp 'sport = :5201'";
    let other = |owner| taken(owner, Occupant::Other);
    for (state, found, in_lab, in_compose) in [
        (
            refused(),
            "cannot listen on 127.0.0.1:5201: no such address",
            "ORDER_LISTEN=127.0.0.1:0 campuscafe",
            "unset ORDER_LISTEN",
        ),
        (
            other(Some((123, "python3"))),
            "in use by python3 (pid 123)",
            "ORDER_LISTEN=127.0.0.1:0 campuscafe",
            "kill 123",
        ),
        (
            other(Some((1, "systemd"))),
            "in use by systemd (pid 1)",
            "ORDER_LISTEN=127.0.0.1:0 campuscafe",
            ask_root,
        ),
        (other(None), unseen, "ORDER_LISTEN=127.0.0.1:0 campuscafe", ask_root),
    ] {
        for (profile, fix) in [(Profile::Lab, in_lab), (Profile::Compose, in_compose)] {
            let check = judge(profile, &order(), &state, false);
            assert_eq!(check, Check::bad("port 5201 (order)", found, fix));
        }
    }
}
