//! The schema of a database, and how it becomes that of this program.

use std::future::Future;
use std::time::Duration;

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

/// How long to wait before a database that is away is tried again, at first and at most.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Prepares a database until it is prepared. It says in the log why it is not, once for each
/// reason.
pub async fn until_prepared<T, F>(mut prepare: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, MigrateError>>,
{
    let mut wait = FIRST_WAIT;
    let mut said: Option<MigrateError> = None;
    loop {
        match prepare().await {
            Ok(prepared) => return prepared,
            Err(error) if said.as_ref() == Some(&error) => {}
            // Why it is away may change while it comes back.
            Err(MigrateError::Unavailable(_))
                if matches!(said, Some(MigrateError::Unavailable(_))) => {}
            Err(error) => {
                tracing::error!("The database is not ready: {error}. Tries again until it is");
                said = Some(error);
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Another process may be changing the schema, and tables may be large.
const MIGRATION_TIMEOUT: Duration = Duration::from_secs(60);
const PATIENCE: &str = "SET LOCAL statement_timeout = '60s'";

const SCHEMA: Statement = Statement::new(
    "SELECT pg_namespace",
    "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1",
);
const TABLE: Statement = Statement::new(
    "SELECT tables",
    "SELECT 1 FROM information_schema.tables
     WHERE table_schema = $1 AND table_name = 'migrations'",
);
/// The same number for every service: they migrate one after the other.
const LOCK: Statement =
    Statement::new("SELECT pg_advisory_xact_lock", "SELECT pg_advisory_xact_lock(5101)");
const MIGRATIONS: &str = "CREATE TABLE migrations (
    version integer PRIMARY KEY,
    applied_at timestamptz NOT NULL
)";
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
        let migrated = self.transaction_within(MIGRATION_TIMEOUT, |transaction| async move {
            transaction.script("SET statement_timeout", PATIENCE).await?;
            transaction.query(LOCK, &[]).await?;
            // "IF NOT EXISTS" asks for the right to make what is there.
            if transaction.query_first(SCHEMA, &[&schema]).await?.is_none() {
                transaction.script("CREATE SCHEMA", &format!("CREATE SCHEMA {schema}")).await?;
            }
            if transaction.query_first(TABLE, &[&schema]).await?.is_none() {
                transaction.script("CREATE TABLE migrations", MIGRATIONS).await?;
            }
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
