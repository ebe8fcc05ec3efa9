//! An order as a command that a person can paste into a shell.
//!
//! An item may have any name, so nothing in it may end the string that it stands in.

use std::fmt::Write as _;

use campuscafe_api::order::PlaceOrder;

/// For a POSIX shell. Nothing is special within single quotes but the quote itself. A
/// terminal may obey control characters, so JSON names them by their numbers.
pub(super) fn sh(orders: &str, order: &PlaceOrder) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let (url, body) = (word(orders, quoted), quoted(&json(order, |c| !c.is_control())));
    format!("curl -s {url} -H 'content-type: application/json' -d {body}")
}

/// For PowerShell on Windows, where `curl` alone may be another command. There the typographic
/// quotes end a string too, and some versions change what is not ASCII, so JSON names those
/// characters by their numbers. The body is piped, because some versions take the double
/// quotes out of arguments.
pub(super) fn powershell(orders: &str, order: &PlaceOrder) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let (url, body) = (word(orders, quoted), quoted(&json(order, |c| (' '..='~').contains(&c))));
    format!("{body} | curl.exe -s {url} -H 'content-type: application/json' -d '@-'")
}

/// As JSON, in which other characters than these are escaped. They stand only within strings.
fn json(order: &PlaceOrder, stays: fn(char) -> bool) -> String {
    let mut text = String::new();
    for character in serde_json::to_string(order).unwrap_or_default().chars() {
        if stays(character) {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

/// A word that needs no quotes as it is.
fn word(text: &str, quoted: impl Fn(&str) -> String) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || ":/._-".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { quoted(text) }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const ORDERS: &str = "http://127.0.0.1:5201/orders";

    /// Names that would end a string, or do something else than stand in it.
    const NAMES: [&str; 8] = [
        "cake",
        "it's",
        "'; touch /tmp/harm #",
        "’ “ ‘ \u{201b}",
        "$(id) `id` ${HOME} $env:PATH !!",
        "\" \\ \\\" %PATH% \\u0027",
        "a\nb\r\t\u{7f}\u{0}",
        "ケーキ 🍰",
    ];

    /// What a shell calls in place of curl: it prints each argument, and what it reads.
    const CALLED: &str = "curl() { printf '%s\\n' \"$@\"; }\n";

    #[test]
    fn a_shell_hands_every_item_on_as_it_is() {
        for name in NAMES {
            let order = PlaceOrder::of(name);
            let script = format!("{CALLED}{}", sh(ORDERS, &order));
            let ran = Command::new("sh").args(["-c", &script]).output().unwrap();
            let said = String::from_utf8(ran.stdout).unwrap();
            let arguments: Vec<_> = said.lines().collect();
            let header = "content-type: application/json";
            assert_eq!(arguments[..5], ["-s", ORDERS, "-H", header, "-d"], "{name}");
            let body: PlaceOrder = serde_json::from_str(&arguments[5..].join("\n")).unwrap();
            assert_eq!(body, order, "{name}");
            assert!(ran.stderr.is_empty(), "{name}");
        }
    }

    /// A string in single quotes at the beginning of a command of PowerShell, and the rest.
    /// Any of its single quotes ends it, and two of them are one.
    fn read_by_powershell(command: &str) -> (String, &str) {
        let is_quote = |c: char| "'\u{2018}\u{2019}\u{201a}\u{201b}".contains(c);
        let mut read = String::new();
        let mut rest = command.strip_prefix('\'').expect("a string");
        while let Some(end) = rest.find(is_quote) {
            read.push_str(&rest[..end]);
            let mut after = rest[end..].chars();
            after.next();
            match after.clone().next().filter(|next| is_quote(*next)) {
                Some(quote) => read.push(quote),
                None => return (read, after.as_str()),
            }
            after.next();
            rest = after.as_str();
        }
        panic!("no end of the string in {command}");
    }

    #[test]
    fn powershell_reads_every_item_as_it_is_and_nothing_but_the_call_after_it() {
        for name in NAMES {
            let order = PlaceOrder::of(name);
            let command = powershell(ORDERS, &order);
            assert!(command.chars().all(|c| (' '..='~').contains(&c)), "{command}");
            let (body, rest) = read_by_powershell(&command);
            assert_eq!(serde_json::from_str::<PlaceOrder>(&body).unwrap(), order, "{name}");
            let call =
                format!(" | curl.exe -s {ORDERS} -H 'content-type: application/json' -d '@-'");
            assert_eq!(rest, call, "{name}");
        }
    }

    #[test]
    fn an_address_that_a_shell_would_read_is_quoted() {
        let odd = "http://cafe.test/a&b'c/orders";
        let order = PlaceOrder::of("cake");
        assert!(sh(odd, &order).contains(r"'http://cafe.test/a&b'\''c/orders'"));
        assert!(powershell(odd, &order).contains("'http://cafe.test/a&b''c/orders'"));
    }
}
