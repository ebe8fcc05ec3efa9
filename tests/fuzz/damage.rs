//! Requests whose bytes are no HTTP, or nearly.

use std::fmt;
use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// The bytes of a request; a failure prints them as a byte string.
#[derive(Clone)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// One to three changes to a valid request.
pub(super) fn damaged(first_line: &str, body: &str, host: &str) -> BoxedStrategy<Bytes> {
    let length = body.len();
    let whole = format!(
        "{first_line} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    vec(damage(), 1..=3)
        .prop_map(move |damages| {
            let mut bytes = whole.clone().into_bytes();
            damages.into_iter().for_each(|damage| damage.apply(&mut bytes));
            Bytes(bytes)
        })
        .boxed()
}

#[derive(Debug, Clone)]
enum Damage {
    Truncate(Index),
    Bytes(Vec<(Index, u8)>),
    Method(&'static str),
    LongPath(usize),
    Version(&'static str),
    /// Lines after the first one, so often.
    Header(&'static str, usize),
    ContentLength(&'static str),
    /// A transfer coding, and a body in place of the present one.
    Coding(&'static str, &'static str),
    Append(&'static [u8]),
}

fn damage() -> impl Strategy<Value = Damage> {
    use Damage::{
        Append, Bytes, Coding, ContentLength, Header, LongPath, Method, Truncate, Version,
    };
    prop_oneof![
        any::<Index>().prop_map(Truncate),
        vec(any::<(Index, u8)>(), 1..5).prop_map(Bytes),
        select(&METHODS[..]).prop_map(Method),
        select(&[1_000, 40_000, 300_000][..]).prop_map(LongPath),
        select(&VERSIONS[..]).prop_map(Version),
        select(&HEADERS[..]).prop_map(|line| Header(line, 1)),
        select(&[("a: b", 200), ("long: b", 40_000)][..]).prop_map(|(line, n)| Header(line, n)),
        select(&LENGTHS[..]).prop_map(ContentLength),
        (select(&CODINGS[..]), select(&CHUNKS[..])).prop_map(|(coding, body)| Coding(coding, body)),
        select(&APPENDED[..]).prop_map(Append),
    ]
}

impl Damage {
    fn apply(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Truncate(at) => bytes.truncate(at.index(bytes.len() + 1)),
            Self::Bytes(changes) => {
                for (at, byte) in changes {
                    let at = at.index(bytes.len() + 1);
                    bytes.get_mut(at).into_iter().for_each(|there| *there = byte);
                }
            }
            Self::Method(method) => replace(bytes, 0..end_of(bytes, b" "), method),
            Self::LongPath(segments) => {
                let path = end_of(bytes, b" ") + 1;
                replace(bytes, path..path, &"/x".repeat(segments));
            }
            Self::Version(version) => {
                let line = end_of(bytes, b"\r\n");
                replace(bytes, line.saturating_sub(8)..line, version);
            }
            Self::Header(line, times) => header(bytes, &format!("{line}\r\n").repeat(times)),
            Self::ContentLength(length) => header(bytes, &format!("content-length: {length}\r\n")),
            Self::Coding(coding, body) => {
                bytes.truncate(end_of(bytes, b"\r\n\r\n") + 4);
                bytes.extend(body.bytes());
                header(bytes, &format!("transfer-encoding: {coding}\r\n"));
            }
            Self::Append(more) => bytes.extend(more),
        }
    }
}

/// Where this begins first, or the end of the bytes.
fn end_of(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|part| part == what).unwrap_or(bytes.len())
}

fn replace(bytes: &mut Vec<u8>, range: Range<usize>, text: &str) {
    let (start, end) = (range.start.min(bytes.len()), range.end.min(bytes.len()));
    bytes.splice(start..end, text.bytes()).for_each(drop);
}

fn header(bytes: &mut Vec<u8>, lines: &str) {
    let second_line = end_of(bytes, b"\r\n") + 2;
    replace(bytes, second_line..second_line, lines);
}

const METHODS: [&str; 8] = ["", "G E T", "G\0T", "GÉT", "CONNECT", "PRI", "POST\t", "("];

const VERSIONS: [&str; 10] = [
    "HTTP/0.9",
    "HTTP/1.0",
    "HTTP/2.0",
    "HTTP/9.9",
    "http/1.1",
    "",
    "HTTP/1.1 x",
    "HTTP/",
    "ICY",
    "HTTP/1.1\r",
];

const HEADERS: [&str; 12] = [
    " folded: 1",
    ": no name",
    "no colon",
    "a b: 1",
    "x: a\0b",
    "x: a\x01b\x7f",
    "x: a\nb",
    "",
    "x-request-id: \x0b",
    "host: elsewhere:99999999",
    "expect: 100-continue",
    "upgrade: websocket",
];

const LENGTHS: [&str; 14] = [
    "-1",
    "+5",
    "5, 5",
    "5, 6",
    "0x5",
    "1e3",
    "",
    " ",
    "five",
    "0",
    "1",
    "99",
    "16385",
    "18446744073709551616",
];

const CODINGS: [&str; 5] = ["chunked", "chunked, chunked", "gzip", "identity", "CHUNKED "];

const CHUNKS: [&str; 8] = [
    "0\r\n\r\n",
    "5\r\n{\"ite\r\n0\r\n\r\n",
    "5\r\nab",
    "-1\r\nx\r\n",
    "ffffffffffffffffff\r\n",
    "g\r\n",
    "5;a=\"\r\nabcde\r\n0\r\nx: y\r\n\r\n",
    "\r\n\r\n",
];

const APPENDED: [&[u8]; 4] =
    [b"\0\xff\xfe\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\r\n", b"{\"itemId\":\"cake\"}"];
