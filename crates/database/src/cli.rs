//! The settings of a database on the command line; flattened into those of a service.

use std::path::PathBuf;

use clap::Args;
use thiserror::Error;

use crate::url::{DatabaseUrl, InvalidUrl, UncheckedUrl};

/// Which database a service uses, if it uses one.
#[derive(Debug, Clone, Args)]
pub struct DatabaseSettings {
    /// PostgreSQL database to keep everything in, within a schema of this service's own, which
    /// is made if it is not there. Several processes can use it. It has no TLS
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "postgres://USER:PASSWORD@HOST:PORT/DATABASE",
        conflicts_with = "data"
    )]
    pub database_url: Option<UncheckedUrl>,

    /// File with the password of that database, in place of one in its URL; spaces and line
    /// ends around it do not count
    #[arg(long, env = "DATABASE_PASSWORD_FILE", value_name = "FILE")]
    pub database_password_file: Option<PathBuf>,

    /// How many connections to the database there may be
    #[arg(
        long,
        env = "DATABASE_CONNECTIONS",
        default_value_t = Self::CONNECTIONS,
        value_name = "CONNECTIONS",
        value_parser = clap::value_parser!(u8).range(1..=100)
    )]
    pub database_connections: u8,
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        Self {
            database_url: None,
            database_password_file: None,
            database_connections: Self::CONNECTIONS,
        }
    }
}

/// Why the settings name no database. No password is in its text.
#[derive(Debug, Error)]
pub enum InvalidSettings {
    /// The URL is wrong.
    #[error("--database-url / DATABASE_URL: {0}")]
    Url(#[from] InvalidUrl),
    /// The file of the password cannot be read.
    #[error("--database-password-file / DATABASE_PASSWORD_FILE: {path}: {reason}")]
    Password {
        /// Which file.
        path: String,
        /// Why.
        reason: String,
    },
}

impl DatabaseSettings {
    const CONNECTIONS: u8 = 10;

    /// Whether a database is named. An empty URL is none.
    #[must_use]
    pub fn names_one(&self) -> bool {
        self.named().is_some()
    }

    fn named(&self) -> Option<&UncheckedUrl> {
        self.database_url.as_ref().filter(|url| !url.is_empty())
    }

    /// The database, and the most connections to it; none if none is named. It reads the file
    /// of the password.
    ///
    /// # Errors
    ///
    /// See [`InvalidSettings`].
    pub fn database(&self) -> Result<Option<(DatabaseUrl, usize)>, InvalidSettings> {
        let Some(url) = self.named() else { return Ok(None) };
        let mut url = url.check()?;
        if let Some(file) = &self.database_password_file {
            let password = std::fs::read_to_string(file);
            let password = password.map_err(|error| InvalidSettings::Password {
                path: file.display().to_string(),
                reason: error.to_string(),
            })?;
            url = url.with_password(password.trim());
        }
        Ok(Some((url, self.database_connections.into())))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        database: DatabaseSettings,
        #[arg(long)]
        data: Option<PathBuf>,
    }

    fn of(arguments: &[&str]) -> Result<Option<(DatabaseUrl, usize)>, InvalidSettings> {
        Program::parse_from([&["program"], arguments].concat()).database.database()
    }

    #[test]
    fn no_url_and_an_empty_one_name_no_database() {
        assert!(of(&[]).unwrap().is_none());
        assert!(of(&["--database-url", ""]).unwrap().is_none());
    }

    #[test]
    fn a_password_comes_from_a_file_that_can_be_read() {
        let url = "postgres://cafe@db:5432/cafe";
        let file = std::env::temp_dir().join(format!("campuscafe-password-{}", std::process::id()));
        let path = file.to_str().unwrap().to_owned();
        let missing = of(&["--database-url", url, "--database-password-file", &path]);
        let said = missing.unwrap_err().to_string();
        assert!(said.contains("DATABASE_PASSWORD_FILE") && said.contains(&path), "{said}");
        std::fs::write(&file, "secret\n").unwrap();
        let (found, connections) =
            of(&["--database-url", url, "--database-password-file", &path]).unwrap().unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(found.config().get_password(), Some(&b"secret"[..]));
        assert_eq!(connections, 10);
    }
}
