//! The address of a database, as `DATABASE_URL` names it.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// Where a database is, and as whom to connect: see
/// [PostgreSQL's documentation](https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS).
/// It never shows its password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Config);

/// An address as it was given, which may be none. A parser of command lines repeats the values
/// that it refuses, and this one may hold a password: so it takes every text, and the text is
/// checked later, with [`DatabaseUrl::from_str`].
#[derive(Clone, PartialEq, Eq)]
pub struct UncheckedUrl(String);

impl UncheckedUrl {
    /// The address, if it is one.
    ///
    /// # Errors
    ///
    /// See [`InvalidUrl`].
    pub fn check(&self) -> Result<DatabaseUrl, InvalidUrl> {
        self.0.parse()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for UncheckedUrl {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for UncheckedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UncheckedUrl(..)")
    }
}

/// Why a text is no such address. It does not repeat the text, which may have a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidUrl {
    /// It is no URL of PostgreSQL.
    #[error("expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, and this is not one: {0}")]
    Malformed(String),
    /// It names no host.
    #[error("expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, got no HOST")]
    NoHost,
    /// It names no database.
    #[error("expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, got no DATABASE")]
    NoDatabase,
    /// It asks for an encrypted connection.
    #[error(
        "this program has no TLS: expected sslmode=disable or no sslmode, and a network that you trust between it and the database"
    )]
    Encrypted,
}

impl DatabaseUrl {
    pub(crate) const fn config(&self) -> &Config {
        &self.0
    }

    pub(crate) fn with_password(mut self, password: &str) -> Self {
        self.0.password(password);
        self
    }

    /// The first host and its port.
    pub(crate) fn server(&self) -> (String, u16) {
        let host = match self.0.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => String::new(),
        };
        (host, self.0.get_ports().first().copied().unwrap_or(5432))
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let is_url = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
        if !is_url {
            return Err(InvalidUrl::Malformed("it does not begin with postgres://".to_owned()));
        }
        // The library's error names an option or a value, never the password.
        let config: Config = text
            .parse()
            .map_err(|error: tokio_postgres::Error| InvalidUrl::Malformed(said(&error)))?;
        if config.get_hosts().is_empty() {
            return Err(InvalidUrl::NoHost);
        }
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(InvalidUrl::NoDatabase);
        }
        if !matches!(config.get_ssl_mode(), SslMode::Disable | SslMode::Prefer) {
            return Err(InvalidUrl::Encrypted);
        }
        Ok(Self(config))
    }
}

fn said(error: &tokio_postgres::Error) -> String {
    use std::error::Error as _;
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// `HOST:PORT/DATABASE`.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = self.server();
        write!(f, "{host}:{port}/{}", self.0.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_address_is_shown_without_user_and_password() {
        let url: DatabaseUrl = "postgres://cafe:secret@db.example:6543/cafe".parse().unwrap();
        assert_eq!(url.to_string(), "db.example:6543/cafe");
        assert_eq!(format!("{url:?}"), "DatabaseUrl(db.example:6543/cafe)");
    }

    #[test]
    fn what_cannot_be_used_says_what_was_expected_and_never_the_password() {
        for (text, expected) in [
            ("mysql://cafe:secret@db/cafe", "begin with postgres://"),
            ("host=db password=secret", "begin with postgres://"),
            ("postgres:///cafe", "no HOST"),
            ("postgres://cafe:secret@db", "no DATABASE"),
            ("postgres://cafe:secret@db:secret/cafe", "expected postgres://"),
            ("postgres://cafe:secret@db/cafe?nonsense=1", "expected postgres://"),
            ("postgres://cafe:secret@db/cafe?sslmode=require", "sslmode=disable"),
        ] {
            let error = text.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("secret"), "{text}: {error}");
        }
    }
}
