//! A request in parts, and as the bytes it is sent as.

use serde_json::Value;

use super::dice::Dice;
use super::document::Route;

#[derive(Clone)]
pub(super) struct Request {
    pub(super) method: String,
    /// The path with its variable parts as names in braces.
    pub(super) path: String,
    /// What stands for those names.
    pub(super) parts: Vec<(String, Vec<u8>)>,
    pub(super) query: Vec<(String, Vec<u8>)>,
    /// What follows in the query as it is, well encoded or not.
    pub(super) tail: &'static str,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Option<Vec<u8>>,
}

impl Request {
    /// A request that should be taken, and its body before it is text.
    pub(super) fn valid(route: &Route, dice: &mut Dice) -> (Self, Option<Value>) {
        let mut request = Self {
            method: route.method.clone(),
            path: route.path.clone(),
            parts: Vec::new(),
            query: Vec::new(),
            tail: "",
            headers: vec![("host".to_owned(), route.address.clone().into_bytes())],
            body: None,
        };
        for parameter in &route.parameters {
            if !parameter.required && dice.one_in(2) {
                continue;
            }
            let given = (parameter.name.clone(), route.argument(parameter, dice));
            match parameter.place.as_str() {
                "path" => request.parts.push(given),
                "query" => request.query.push(given),
                "header" => request.header(&given.0, &given.1),
                other => panic!("a parameter of a new kind: {other}"),
            }
        }
        let wish = route.wish(dice);
        if wish.is_some() {
            request.header("content-type", b"application/json");
        }
        (request, wish)
    }

    /// Adds a header, without the bytes that no HTTP server takes in one: those
    /// are answered before a service sees them, and are a flood of their own.
    pub(super) fn header(&mut self, name: &str, value: &[u8]) {
        let fit = |byte: &&u8| **byte == b'\t' || (**byte >= b' ' && **byte != 0x7f);
        self.headers.push((name.to_owned(), value.iter().filter(fit).copied().collect()));
    }

    /// Whether the path is still the route's.
    pub(super) fn leads_to(&self, route: &Route) -> bool {
        self.path == route.path
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut path = self.path.clone();
        for (name, part) in &self.parts {
            path = path.replace(&format!("{{{name}}}"), &encoded(part));
        }
        let pairs: Vec<_> =
            self.query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let query = pairs.join("&") + self.tail;
        let mark = if query.is_empty() { "" } else { "?" };
        let mut bytes = format!("{} {path}{mark}{query} HTTP/1.1\r\n", self.method).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        if let Some(body) = &self.body {
            bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).bytes());
            bytes.extend(body);
        } else {
            bytes.extend(b"\r\n");
        }
        bytes
    }
}

fn encoded(text: &[u8]) -> String {
    let mut encoded = String::new();
    for byte in text {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' | b':' | b',' => {
                encoded.push(char::from(*byte));
            }
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}
