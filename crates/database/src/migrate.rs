//! The schema of a database, and how it becomes that of this program.

use thiserror::Error as ThisError;

use crate::error::Reason;
use crate::pool::Database;
use crate::statement::Statement;
use crate::transaction::Failed;

/// One step, from one version of a schema to the next. Steps are numbered from 1 in their order,
/// and one that was ever published does not change.
#[derive(Debug, Clone, Copy)]
pub struct Migration(pub &'static str);

/// Why a schema is not that of this program.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum MigrateError {
    /// A newer program has changed it.
    #[error(
        "the schema {schema} has version {found}, but this program knows version {known}: a newer program has changed it; use that program, or another database"
    )]
    Newer {
        /// Which schema.
        schema: &'static str,
        /// Its version.
        found: i32,
        /// That of this program.
        known: i32,
    },
    /// The database refuses a statement of it.
    #[error("the database refuses to change the schema {schema}: {said}")]
    Refused {
        /// Which schema.
        schema: &'static str,
        /// What the server says.
        said: String,
    },
    /// The database does not work now. Try again later.
    #[error("{}", .0.sentence())]
    Unavailable(Reason),
}

/// The same number for every service: they migrate one after the other.
const LOCK: Statement =
    Statement::new("SELECT pg_advisory_xact_lock", "SELECT pg_advisory_xact_lock(5101)");
const NOTE: Statement = Statement::new(
    "INSERT migrations",
    "INSERT INTO migrations (version, applied_at) VALUES ($1, now())",
);
const VERSION: Statement =
    Statement::new("SELECT migrations", "SELECT coalesce(max(version), 0) FROM migrations");

impl Database {
    /// Brings the schema to the last of these versions, in one transaction, and one process
    /// after the other.
    ///
    /// # Errors
    ///
    /// When the schema is newer than this program, or cannot be changed now.
    pub async fn migrate(&self, migrations: &[Migration]) -> Result<(), MigrateError> {
        let schema = self.schema;
        let known = i32::try_from(migrations.len()).unwrap_or(i32::MAX);
        let make = format!(
            "CREATE SCHEMA IF NOT EXISTS {schema};
             CREATE TABLE IF NOT EXISTS {schema}.migrations (
                 version integer PRIMARY KEY,
                 applied_at timestamptz NOT NULL
             );"
        );
        let make = &make;
        let migrated = self.transaction(|transaction| async move {
            transaction.query(LOCK, &[]).await?;
            transaction.script("CREATE migrations", make).await?;
            let found: i32 =
                transaction.query_first(VERSION, &[]).await?.map_or(0, |row| row.get(0));
            for (version, Migration(sql)) in (1..).zip(migrations).filter(|(it, _)| *it > found) {
                transaction.script("MIGRATE", sql).await?;
                transaction.execute(NOTE, &[&version]).await?;
            }
            Ok(found)
        });
        match migrated.await {
            Ok(found) if found > known => Err(MigrateError::Newer { schema, found, known }),
            Ok(_) => Ok(()),
            Err(Failed::NotDone(error)) if error.reason() == Reason::Refused => {
                Err(MigrateError::Refused { schema, said: error.to_string() })
            }
            // Whether it was committed shows when it is tried again.
            Err(Failed::NotDone(error) | Failed::Unknown(error, _)) => {
                Err(MigrateError::Unavailable(error.reason()))
            }
        }
    }
}
