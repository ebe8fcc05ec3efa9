//! The verdicts on ports, from what they are like.

use super::super::check::Status;
use super::*;

const ORDER: &str = "127.0.0.1:5201";

fn port(kind: Kind, variable: Option<&'static str>, address: &str) -> Port {
    Port { kind, variable, address: address.parse().unwrap() }
}

fn taken(by: Option<(u32, &str)>, occupant: Occupant) -> State {
    State::Taken { by: by.map(|(pid, name)| Holder { pid, name: name.to_owned() }), occupant }
}

#[test]
fn each_way_has_its_ports() {
    let address = |text: &str| text.parse().unwrap();
    let listen = Listen {
        inventory_listen: address("127.0.0.1:5101"),
        order_listen: address("0.0.0.0:80"),
        lab_listen: address("[::1]:0"),
    };
    let numbers = |way| ports(way, &listen).iter().map(|p| p.address.port()).collect::<Vec<_>>();
    assert_eq!(numbers(Way::Lab), [5101, 80, 0]);
    assert_eq!(numbers(Way::Compose), [5101, 80, 0, 16686, 9090, 3000]);
    assert_eq!(numbers(Way::Kind), [5101, 80, 0, 16686, 9090, 3000]);
}

#[test]
fn an_address_that_is_given_twice_is_noticed() {
    let before = [port(Kind::Inventory, None, "0.0.0.0:80"), port(Kind::Lab, None, "[::1]:0")];
    for (address, expected) in
        [("127.0.0.1:80", Some(Kind::Inventory)), ("127.0.0.1:81", None), ("[::1]:0", None)]
    {
        assert_eq!(same_as(&before, address.parse().unwrap()), expected, "{address}");
    }
}

#[test]
fn a_port_is_free_or_somebody_has_it() {
    use Occupant::{Cafe, Same, Stranger};
    let order = port(Kind::Order, Some("ORDER_LISTEN"), ORDER);
    let jaeger = port(Kind::Jaeger, None, "127.0.0.1:16686");
    let python = Some((123, "python3"));
    let refused = State::Refused("no such address".to_owned());
    let elsewhere = "ORDER_LISTEN=127.0.0.1:0 campuscafe";
    let unset = "unset INVENTORY_LISTEN ORDER_LISTEN LAB_LISTEN";
    let (lab, compose) = (Way::Lab, Way::Compose);
    for (way, port, state, open, status, found, mend) in [
        (lab, order, State::Free, false, Status::Ok, "free", ""),
        (lab, order, State::Any, false, Status::Ok, "any that is free", ""),
        (
            lab,
            order,
            State::SameAs(Kind::Inventory),
            false,
            Status::Bad,
            "the inventory has the same address",
            elsewhere,
        ),
        (
            compose,
            order,
            State::SameAs(Kind::Inventory),
            false,
            Status::Bad,
            "the inventory has the same address",
            unset,
        ),
        (
            lab,
            order,
            refused,
            false,
            Status::Bad,
            "127.0.0.1:5201 cannot be had: no such address",
            elsewhere,
        ),
        (
            lab,
            order,
            taken(python, Stranger),
            false,
            Status::Bad,
            "taken by python3 (pid 123)",
            elsewhere,
        ),
        (
            compose,
            order,
            taken(python, Stranger),
            true,
            Status::Bad,
            "taken by python3 (pid 123)",
            "kill 123",
        ),
        (
            lab,
            order,
            taken(None, Stranger),
            false,
            Status::Bad,
            "taken by a process that cannot be seen; try as root: ss -ltnp",
            elsewhere,
        ),
        (
            compose,
            order,
            taken(None, Stranger),
            false,
            Status::Bad,
            "taken by a process that cannot be seen; try as root: ss -ltnp",
            "sudo ss -ltnp 'sport = :5201'",
        ),
        (
            compose,
            order,
            taken(Some((1, "systemd")), Stranger),
            false,
            Status::Bad,
            "taken by systemd (pid 1)",
            "sudo ss -ltnp 'sport = :5201'",
        ),
        (
            lab,
            order,
            taken(Some((9, "campuscafe")), Cafe(Kind::Order)),
            true,
            Status::Note,
            "taken by a CampusCafe that is already running (order, pid 9)",
            "",
        ),
        (
            lab,
            order,
            taken(None, Cafe(Kind::Lab)),
            true,
            Status::Note,
            "taken by a CampusCafe that is already running (lab)",
            "",
        ),
        (
            compose,
            jaeger,
            taken(Some((7, "docker-proxy")), Same),
            true,
            Status::Note,
            "taken by Jaeger, which is already running",
            "",
        ),
        (
            compose,
            jaeger,
            taken(Some((7, "docker-proxy")), Same),
            false,
            Status::Bad,
            "taken by docker-proxy (pid 7)",
            "docker stop $(docker ps -q --filter publish=16686)",
        ),
    ] {
        let verdict = verdict(way, &port, &state, open);
        assert_eq!((verdict.status, verdict.found.as_str()), (status, found), "{state:?}");
        assert_eq!(verdict.mend.as_deref().unwrap_or_default(), mend, "{state:?}");
    }
}
