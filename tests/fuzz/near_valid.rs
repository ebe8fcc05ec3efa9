//! From a request that should be taken to one that is not quite it.

use serde_json::{Value, json};

use super::dice::Dice;
use super::document::Route;
use super::request::Request;

/// The largest body that a service reads.
const MAX_BODY: usize = 16 * 1024;

/// Routes that wait when they are asked well: there only one request in so many
/// may be well asked, or the flood would take an hour.
const SLOW: [(&str, usize); 2] = [("/inventory/ping", 5), ("/demo/out-of-order", 12)];

/// The nth request to a route: a valid one, changed in up to three places.
pub(super) fn request(route: &Route, number: u64) -> Request {
    let mut dice = Dice::of(&route.name(), number);
    let (mut request, mut wish) = Request::valid(route, &mut dice);
    let changes = dice.below(4);
    let in_the_wish = if wish.is_some() { dice.below(changes + 1) } else { 0 };
    for _ in 0..in_the_wish {
        if let Some(Value::Object(members)) = &mut wish {
            change_member(members, &mut dice);
        }
    }
    request.body = wish.map(|wish| wish.to_string().into_bytes());
    for _ in in_the_wish..changes {
        change(&mut request, &mut dice);
    }
    let slow = SLOW.iter().find(|(path, _)| *path == route.path);
    if slow.is_some_and(|(_, chances)| !dice.one_in(*chances)) {
        spoil(&mut request, &mut dice);
    }
    // What a server leaves unread it need not keep the connection for.
    if request.body.as_ref().is_some_and(|body| body.len() > 4096) {
        request.header("connection", b"close");
    }
    request
}

fn change_member(members: &mut serde_json::Map<String, Value>, dice: &mut Dice) {
    let names: Vec<_> = members.keys().cloned().collect();
    let name = if names.is_empty() { String::new() } else { dice.pick(&names).clone() };
    match dice.below(8) {
        0 => {
            members.remove(&name);
        }
        1 => {
            let extra = String::from_utf8_lossy(&dice.text()).into_owned();
            members.insert(extra, dice.value());
        }
        2 => {
            let value = members.remove(&name).unwrap_or_default();
            members.insert(name.to_uppercase(), value);
        }
        3 => {
            members.insert(name, Value::Null);
        }
        _ => {
            members.insert(name, dice.value());
        }
    }
}

fn change(request: &mut Request, dice: &mut Dice) {
    match dice.below(16) {
        0 => request.method = dice.pick(&METHODS).to_owned(),
        1 => request.path += dice.pick(&["/", "//", "/x", ".json", "%00", "%FF", ";v=1", "/.."]),
        2 | 3 => change_parameter(request, dice),
        4 => request.query.push((dice.pick(&NAMES).to_owned(), dice.text())),
        5 => {
            let again = request.query.first().cloned();
            request.query.extend(again);
        }
        6 => request.tail = dice.pick(&["&", "&&", "&=", "=", "&%", "&%zz=%FF", "?", "&a[]=1"]),
        7 => {
            request.headers.retain(|(name, _)| name != "content-type");
            if dice.one_in(2) {
                let media_type = dice.pick(&MEDIA_TYPES);
                request.header("content-type", media_type.as_bytes());
            }
        }
        8 => {
            let id = dice.text();
            request.header("X-Request-Id", &id);
        }
        9 => {
            let (name, value) = dice.pick(&HEADERS);
            request.header(name, value.as_bytes());
        }
        10 => {
            let text = dice.text();
            request.header("x-long", &text.repeat(8_000 / text.len().max(8)));
        }
        _ => change_body(request, dice),
    }
}

/// Changes a part of the path, a parameter of the query, or a header.
fn change_parameter(request: &mut Request, dice: &mut Dice) {
    let Request { parts, query, headers, .. } = request;
    let text = dice.text();
    // The first header is the host.
    let (parts, query, headers) = (&mut parts[..], query, &mut headers[1..]);
    let place = dice.below(parts.len() + query.len() + headers.len());
    if let Some((_, value)) = parts.get_mut(place) {
        *value = text;
    } else if let Some((_, value)) = query.get_mut(place - parts.len()) {
        *value = text;
    } else if let Some((name, _)) = headers.get(place - parts.len() - query.len()) {
        // It comes twice then; which of them is meant, the service must decide.
        let name = name.clone();
        request.header(&name, &text);
    } else {
        request.query.push(("unknown".to_owned(), text));
    }
}

fn change_body(request: &mut Request, dice: &mut Dice) {
    let body = request.body.get_or_insert_default();
    let place = dice.below(body.len() + 1);
    match dice.below(10) {
        0 => body.truncate(place),
        1 => body.insert(place, dice.pick(b"\0\x01\x7f\xff{}[]\",:\\-.9e \n")),
        2 => {
            let byte = dice.pick(b"\0\x1f\x80\"\\{,9");
            body.get_mut(place).into_iter().for_each(|at| *at = byte);
        }
        3 => *body = (0..dice.below(300)).map(|_| dice.below(256) as u8).collect(),
        4 => {
            // The same members once more, so that every key stands twice.
            let again: Vec<_> = body.strip_prefix(b"{").unwrap_or_default().to_vec();
            body.pop();
            body.push(b',');
            body.extend(again);
        }
        5 => change_number(body, dice),
        6 => *body = dice.pick(&["[", "{\"itemId\":", "[{\"a\":"]).repeat(1_500).into_bytes(),
        7 => body.extend(dice.pick(&["}", " {}", "\0", "\n\n", "\u{feff}", "garbage"]).bytes()),
        8 => match dice.below(3) {
            0 => request.body = None,
            1 => body.clear(),
            _ => *body = json!([dice.value()]).to_string().into_bytes(),
        },
        // Large, and so only now and then.
        _ if dice.one_in(8) => body.resize(MAX_BODY + dice.below(2), b' '),
        _ => body.splice(0..0, "\u{feff}".bytes()).for_each(drop),
    }
}

/// Writes numbers that no JSON value could hold.
fn change_number(body: &mut Vec<u8>, dice: &mut Dice) {
    let Some(start) = body.iter().position(u8::is_ascii_digit) else { return };
    let length = body[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = dice.pick(&["1e999", "-99999999999999999999", "9223372036854775808", "01", "+1"]);
    let number = dice.pick(&[number, "0x1", "NaN", "-", "1.", ".1", "1e", "１", "-0", "1_000"]);
    body.splice(start..start + length, number.bytes());
}

/// Makes sure that a query is refused.
fn spoil(request: &mut Request, dice: &mut Dice) {
    let spoilt = dice.pick(&["soon", "", "1.5", "1e3", "0x10", "NaN", "null", "１"]);
    match request.query.len() {
        0 => request.query.push((dice.pick(&NAMES).to_owned(), spoilt.into())),
        parameters => request.query[dice.below(parameters)].1 = spoilt.into(),
    }
}

const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", "get"];

/// Parameters that no route has.
const NAMES: [&str; 5] = ["unknown", "itemId", "Chaos", "%00", "delayms"];

const MEDIA_TYPES: [&str; 9] = [
    "",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/problem+json",
    "application/json; charset=utf-16",
    "APPLICATION/JSON;;",
    "json",
    "application/json, text/plain",
];

const HEADERS: [(&str, &str); 18] = [
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("traceparent", "00-00000000000000000000000000000000-0000000000000000-zz"),
    ("tracestate", "a=1,,=,b"),
    ("host", "elsewhere:99999999"),
    ("origin", "null"),
    ("origin", "http://elsewhere:80"),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-origin"),
    ("accept", "text/html"),
    ("accept-encoding", "gzip;q=NaN"),
    ("content-encoding", "gzip"),
    ("expect", "100-continue"),
    ("upgrade", "websocket"),
    ("connection", "close"),
    ("connection", "upgrade, x-request-id"),
    ("range", "bytes=5-1"),
    ("if-none-match", "*"),
    ("user-agent", ""),
];
