//! Asking services over HTTP, and saying why one did not answer.

use std::net::SocketAddr;
use std::time::Duration;

use campuscafe_service::{ExitError, reachable};
use reqwest::header::HeaderMap;
use reqwest::{Client, Response, StatusCode, Url};

/// A client that goes straight to where it is told.
pub(crate) fn client() -> Result<Client, ExitError> {
    client_with(HeaderMap::new())
}

/// As [`client`], and every request has these headers.
pub(crate) fn client_with(headers: HeaderMap) -> Result<Client, ExitError> {
    Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(5))
        .default_headers(headers)
        .build()
        .map_err(|error| ExitError::Failed(format!("cannot make an HTTP client: {error}")))
}

/// An answer that is a success.
pub(crate) async fn get(http: &Client, base: &Url, path: &str) -> Result<Response, ExitError> {
    let answer = http.get(at(base, path)?).send().await;
    answer.and_then(Response::error_for_status).map_err(|error| unreachable(base, &error))
}

/// A path below a base URL.
pub(crate) fn at(base: &Url, path: &str) -> Result<Url, ExitError> {
    base.join(path).map_err(|error| ExitError::Usage(format!("{base} is not a base URL: {error}")))
}

/// Why a service gave no answer that can be used, and what may help.
pub(crate) fn unreachable(base: &Url, error: &reqwest::Error) -> ExitError {
    let why = if error.is_connect() {
        "nothing answers there".to_owned()
    } else if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.status() == Some(StatusCode::MISDIRECTED_REQUEST) {
        let host = base.host_str().unwrap_or_default();
        return ExitError::Failed(format!(
            "{base}: it does not accept the host {host}; add {host} to its ALLOWED_HOSTS, or \
             use its IP address"
        ));
    } else if let Some(status) = error.status() {
        format!("it answers {status}, so it is another program")
    } else {
        "it does not answer like one of CampusCafe's services".to_owned()
    };
    ExitError::Failed(format!("{base}: {why}; is it running, and is the address correct?"))
}

/// The URL under which this machine reaches what listens on an address.
pub(crate) fn local_url(listen: SocketAddr) -> Result<Url, ExitError> {
    let address = reachable(listen);
    Url::parse(&format!("http://{address}"))
        .map_err(|error| ExitError::Failed(format!("{address} is not an address: {error}")))
}
