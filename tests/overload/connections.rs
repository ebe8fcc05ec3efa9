//! Many connections at a time, each of which orders now and then, and waits as
//! `Retry-After` asks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::generator::Sent;
use crate::order_url;

/// How long a connection waits between two orders: at 2,000 connections these are
/// 2,000 orders a second, twice what a service carries.
const PAUSE: Duration = Duration::from_secs(1);

/// Longer than any order without a fault may take here.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Tally {
    confirmed: Vec<Duration>,
    shed: u64,
    not_sent: u64,
}

pub(crate) async fn load(connections: usize, seconds: u64, a_third_slow: bool) -> Sent {
    let address = order_url().trim_start_matches("http://").to_owned();
    let tally = Arc::new(Mutex::new(Tally::default()));
    let begun = Instant::now();
    let end = begun + Duration::from_secs(seconds);
    let mut all = JoinSet::new();
    for number in 0..connections {
        let slow = a_third_slow && number % 3 == 0;
        let first = begun + PAUSE.mul_f64(number as f64 / connections as f64);
        all.spawn(customer(address.clone(), slow, first, end, tally.clone()));
    }
    all.join_all().await;
    let mut tally = std::mem::take(&mut *tally.lock().expect("no panic inside"));
    tally.confirmed.sort_unstable();
    let p99 = tally.confirmed.get(tally.confirmed.len() * 99 / 100).copied();
    Sent {
        goodput: tally.confirmed.len() as f64 / begun.elapsed().as_secs_f64(),
        p99_ms: p99.map_or(f64::MAX, |p99| p99.as_secs_f64() * 1_000.0),
        shed: tally.shed,
        not_sent: tally.not_sent,
    }
}

/// Orders again and again over one connection; opens another one when the service
/// has closed it, as it may at its cap.
async fn customer(
    address: String,
    slow: bool,
    first: Instant,
    end: Instant,
    tally: Arc<Mutex<Tally>>,
) {
    let chaos = if slow { "slow" } else { "none" };
    let body = format!("{{\"itemId\":\"cake\",\"quantity\":1,\"chaos\":\"{chaos}\"}}");
    let request = format!(
        "POST /orders HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut due = first;
    let mut open = None;
    while due < end {
        sleep_until(due).await;
        let sent = Instant::now();
        let mut answer = None;
        // A connection that was closed while it was idle says so only when it is used.
        for _ in 0..2 {
            let stream = match open.take() {
                Some(stream) => stream,
                None => match timeout(TIMEOUT, TcpStream::connect(&address)).await {
                    Ok(Ok(stream)) => stream,
                    _ => break,
                },
            };
            if let Ok(Some((stream, read))) =
                timeout(TIMEOUT, exchange(stream, request.as_bytes())).await
            {
                (open, answer) = (Some(stream), Some(read));
                break;
            }
        }
        let took = sent.elapsed();
        let mut tally = tally.lock().expect("no panic inside");
        match answer.map(|answer| answer.status) {
            Some(200) => tally.confirmed.push(took),
            Some(503) => tally.shed += 1,
            Some(_) => {}
            None => tally.not_sent += 1,
        }
        drop(tally);
        let wait = answer.map_or(Duration::ZERO, |answer| answer.retry_after);
        due = (due + PAUSE).max(Instant::now() + wait);
    }
}

#[derive(Clone, Copy)]
struct Answer {
    status: u16,
    retry_after: Duration,
}

/// Sends a request and reads its answer; `None` if the connection ended before.
async fn exchange(mut stream: TcpStream, request: &[u8]) -> Option<(TcpStream, Answer)> {
    stream.write_all(request).await.ok()?;
    let mut answer = Vec::new();
    loop {
        let read = stream.read_buf(&mut answer).await.ok()?;
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let number = |name: &str| {
                let value = head.lines().find_map(|line| line.strip_prefix(name));
                value.and_then(|value| value.parse::<u64>().ok()).unwrap_or(0)
            };
            if body.len() as u64 >= number("content-length: ") {
                let status = head.split(' ').nth(1)?.parse().ok()?;
                let retry_after = Duration::from_secs(number("retry-after: "));
                return Some((stream, Answer { status, retry_after }));
            }
        }
        if read == 0 {
            return None;
        }
    }
}
