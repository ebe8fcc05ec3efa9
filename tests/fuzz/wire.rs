//! HTTP/1.1 by hand: the bytes of a request go out as they are and can be read
//! in a failure, and a client of few words leaves the processor to the services.

use campuscafe_tests::{Answer, DEADLINE};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What is said before the answer to a client that waits for it.
const GO_ON: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A connection that is used again, as long as the server keeps it.
pub(super) struct Wire {
    address: String,
    stream: Option<TcpStream>,
}

impl Wire {
    pub(super) fn to(address: &str) -> Self {
        Self { address: address.to_owned(), stream: None }
    }

    /// Sends a request and reads the answer; none if the connection was cut
    /// before its first byte.
    pub(super) async fn exchange(&mut self, bytes: &[u8], has_body: bool) -> Option<Answer> {
        let exchange = async {
            let mut stream = match self.stream.take() {
                Some(stream) => stream,
                None => TcpStream::connect(&self.address).await.expect("connected"),
            };
            // A server may answer and close without having read everything.
            let _ = stream.write_all(bytes).await;
            let mut read = Vec::new();
            loop {
                let more = stream.read_buf(&mut read).await;
                if let Some((answer, end)) = answer(&read, has_body) {
                    assert_eq!(read.len(), end, "more than one answer");
                    let closes = |value: &HeaderValue| value == "close";
                    if !answer.headers.get("connection").is_some_and(closes) {
                        self.stream = Some(stream);
                    }
                    return Some(answer);
                }
                if matches!(more, Ok(0) | Err(_)) {
                    let said = read.strip_prefix(GO_ON).unwrap_or(&read);
                    assert!(said.is_empty(), "half an answer: {}", said.escape_ascii());
                    return None;
                }
            }
        };
        tokio::time::timeout(DEADLINE, exchange).await.expect("an answer, or an end")
    }
}

/// The answer at the beginning of these bytes and where it ends, once it is whole.
pub(super) fn answer(read: &[u8], has_body: bool) -> Option<(Answer, usize)> {
    let before = if read.starts_with(GO_ON) { GO_ON.len() } else { 0 };
    let head = before + read[before..].windows(4).position(|window| window == b"\r\n\r\n")?;
    let start = head + 4;
    let mut lines = read[before..head].split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let status = lines.next().and_then(|line| line.split(|byte| *byte == b' ').nth(1));
    let status = std::str::from_utf8(status.expect("a status line")).expect("ASCII");
    let status: u16 = status.parse().expect("a status");
    let headers: HeaderMap = lines
        .map(|line| {
            let colon = line.iter().position(|byte| *byte == b':').expect("a header");
            let name = HeaderName::from_bytes(&line[..colon]).expect("a header's name");
            let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
            (name, value.expect("a header's value"))
        })
        .collect();
    assert!(!headers.contains_key("transfer-encoding"), "this client reads no chunks");
    let length = headers.get("content-length").and_then(|length| length.to_str().ok());
    let length: usize = length.map_or(0, |length| length.parse().expect("a length"));
    let end = if has_body { start + length } else { start };
    let body = read.get(start..end)?;
    // Only a refusal's body is looked at, and the others are many and long.
    let body = if status < 400 { None } else { serde_json::from_slice(body).ok() };
    Some((Answer { status, headers, body: body.unwrap_or_default() }, end))
}
