//! Asking a service from outside whether it takes requests.
//!
//! A container here holds one program and nothing else, no shell and no curl,
//! so the program itself is what its health check runs. It runs every second:
//! a socket and a line of HTTP do, without a runtime or a client.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;

use crate::reachable;

/// Far longer than a service that is well needs.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What a service can be asked for instead of running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum ServiceCommand {
    /// Ask the service that runs at this address whether it takes requests
    Healthcheck,
}

/// Asks the program at an address for `/readyz`. Prints the answer, and fails if the
/// program is not ready.
#[must_use]
pub fn healthcheck(listen: SocketAddr) -> ExitCode {
    let address = reachable(listen);
    let heard = ask(address);
    let line = heard.as_ref().map_or_else(ToString::to_string, Clone::clone);
    // The exit status says what was heard, even where the line cannot be written.
    let _ = writeln!(std::io::stdout(), "{address}: {line}");
    if heard.is_ok_and(|line| is_yes(&line)) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The first line of the answer.
fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    // In one piece: a server may answer the first line and close before it has the rest.
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut start = [0; 64];
    let mut length = 0;
    while length < start.len() && !start[..length].contains(&b'\n') {
        match stream.read(&mut start[length..])? {
            0 => break,
            more => length += more,
        }
    }
    let text = String::from_utf8_lossy(&start[..length]);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn is_yes(line: &str) -> bool {
    line.starts_with("HTTP/1.1 200")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_200_is_a_yes() {
        assert!(is_yes("HTTP/1.1 200 OK"));
        for line in ["", "HTTP/1.1 503 Service Unavailable", "SSH-2.0-OpenSSH", "HTTP/1.1 404"] {
            assert!(!is_yes(line), "{line}");
        }
    }
}
