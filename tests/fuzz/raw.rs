//! Bytes that are no HTTP, or nearly.

use std::sync::Arc;

use campuscafe_tests::DEADLINE;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::dice::Dice;
use super::document::Route;
use super::services::Flooded;
use super::{Replay, near_valid};

const REQUESTS: usize = 1_000;

const AT_ONCE: usize = 64;

fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    let first_line = bytes.iter().position(|byte| *byte == b'\r').expect("a line");
    let header = |bytes: &mut Vec<u8>, header: &str| {
        bytes.splice(first_line + 2..first_line + 2, header.bytes()).for_each(drop);
    };
    match dice.below(10) {
        0 => {
            bytes.truncate(dice.below(head + 4));
        }
        1 => {
            let space = bytes.iter().position(|byte| *byte == b' ').expect("a space");
            let method = dice.pick(&["", "G E T", "G\0T", "GÉT", "CONNECT", "PRI", "POST\t", "("]);
            bytes.splice(..space, method.bytes()).for_each(drop);
        }
        2 => {
            let version = dice.pick(&["HTTP/0.9", "HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "http/1.1"]);
            let version = dice.pick(&[version, "", "HTTP/1.1 x", "HTTP/", "ICY", "HTTP/1.1\r"]);
            bytes.splice(first_line - 8..first_line, version.bytes()).for_each(drop);
        }
        3 => {
            let length = dice.pick(&["-1", "+5", "5, 5", "5, 6", "0x5", "1e3", "", " ", "five"]);
            let length = dice.pick(&[length, "0", "1", "99", "16385", "18446744073709551616"]);
            header(bytes, &format!("content-length: {length}\r\n"));
        }
        4 => {
            let coding =
                dice.pick(&["chunked", "chunked, chunked", "gzip", "identity", "CHUNKED "]);
            let chunks = dice.pick(&[
                "0\r\n\r\n",
                "5\r\n{\"ite\r\n0\r\n\r\n",
                "5\r\nab",
                "-1\r\nx\r\n",
                "ffffffffffffffffff\r\n",
                "g\r\n",
                "5;a=\"\r\nabcde\r\n0\r\nx: y\r\n\r\n",
                "\r\n\r\n",
            ]);
            bytes.truncate(head + 4);
            header(bytes, &format!("transfer-encoding: {coding}\r\n"));
            bytes.extend(chunks.bytes());
        }
        5 => {
            let line = dice.pick(&[
                " folded: 1\r\n",
                ": no name\r\n",
                "no colon\r\n",
                "a b: 1\r\n",
                "x: a\0b\r\n",
                "x: a\x01b\x7f\r\n",
                "x: a\nb\r\n",
                "\n",
                "x-request-id: \x0b\r\n",
            ]);
            header(bytes, line);
        }
        6 => {
            let (name, times) = dice.pick(&[("a", 200), ("long", 40_000)]);
            header(bytes, &format!("{name}: b\r\n").repeat(times));
        }
        7 => {
            let path = "/x".repeat(dice.pick(&[1_000, 40_000, 300_000]));
            let place = bytes.iter().position(|byte| *byte == b' ').expect("a space") + 1;
            bytes.splice(place..place, path.bytes()).for_each(drop);
        }
        8 => {
            let more = bytes.clone();
            bytes.extend(dice.pick(&[&more[..], b"\0\xff\xfe\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"]));
        }
        _ => {
            for _ in 0..=dice.below(4) {
                let place = dice.below(bytes.len());
                bytes[place] = dice.below(256) as u8;
            }
        }
    }
}

/// The first digit of every status that was answered; fails unless each is a
/// whole status line. None is an answer as well: the server hung up.
fn classes(answer: &[u8]) -> Vec<u8> {
    let spoken = |start: &[u8]| start.starts_with(b"HTTP/1.") && start.get(8) == Some(&b' ');
    assert!(answer.is_empty() || spoken(answer), "no HTTP: {}", answer.escape_ascii());
    answer.windows(10).filter(|start| spoken(start)).map(|start| start[9]).collect()
}

/// Sends a request that is damaged, and reads until the server closes.
async fn send_damaged(route: Arc<Route>, number: u64) -> Vec<u8> {
    let mut request = near_valid::request(&route, number);
    request.header("connection", b"close");
    let mut bytes = request.bytes();
    let mut dice = Dice::of("raw", number);
    damage(&mut bytes, &mut dice);
    let case = format!("damaged request {number} to {}", route.name());
    let _replay = Replay(&case, &route.address, &bytes);
    let exchange = async {
        let mut stream = TcpStream::connect(&route.address).await.expect("connected");
        // Both may end in a reset: a server need not read what it refuses.
        let _ = stream.write_all(&bytes).await;
        if dice.one_in(2) {
            let _ = stream.shutdown().await;
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        answer
    };
    let answer = tokio::time::timeout(DEADLINE, exchange).await.expect("the server closes");
    let classes = classes(&answer);
    assert!(!classes.contains(&b'5'), "{case}: {}", answer.escape_ascii());
    classes
}

#[tokio::test]
async fn a_thousand_damaged_requests_get_no_failure_and_harm_nobody() {
    let services = Flooded::start().await;
    let mut routes = services.routes().await;
    // A fault may be asked for by accident, and then a failure would be right.
    let faultless = |n: &u64, route: &Route| {
        let bytes = near_valid::request(route, *n).bytes();
        !bytes.windows(5).any(|window| window.eq_ignore_ascii_case(b"chaos"))
    };
    routes.retain(|route| route.described);
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut sent = JoinSet::new();
    let numbers = (0..).flat_map(|n| routes.iter().map(move |route| (n, route)));
    let numbers = numbers.filter(|(n, route)| faultless(n, route));
    for (number, route) in numbers.take(REQUESTS) {
        let (route, places) = (route.clone(), places.clone());
        sent.spawn(async move {
            let _place = places.acquire().await;
            send_damaged(route, number).await
        });
    }
    let mut times = [0_u64; 256];
    while let Some(answers) = sent.join_next().await {
        let answers =
            answers.expect("what must not be was met; it tells above which request it was");
        answers.iter().for_each(|class| times[usize::from(*class)] += 1);
    }
    let [fine, refused] = [b'2', b'4'].map(|class| times[usize::from(class)]);
    println!("{fine} fine, {refused} refused");
    assert!(fine >= 30 && refused >= 300, "both are tried: {fine} fine, {refused} refused");
    services.assert_unharmed().await;
}
