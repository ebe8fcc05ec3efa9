//! PostgreSQL as a service of CampusCafe uses it.
//!
//! Every wait is bounded, because the caller's is: for a connection, for a statement and for the
//! whole transaction. Every statement is a CLIENT span after the semantic conventions for
//! databases, so a trace shows where a commit really is. What came of a transaction is one of
//! three things: it is committed, it is not, or nobody knows.

mod cli;
mod error;
mod migrate;
mod observe;
mod pool;
mod settings;
mod statement;
mod transaction;
mod url;
mod watched;

pub use cli::{DatabaseSettings, InvalidSettings};
pub use error::{Error, Reason};
pub use migrate::{MigrateError, Migration, until_prepared};
pub use pool::{Database, Limits};
pub use statement::Statement;
pub use tokio_postgres::Row;
pub use tokio_postgres::types::ToSql;
pub use transaction::{Failed, Transaction};
pub use url::{DatabaseUrl, InvalidUrl, UncheckedUrl};
pub use watched::Watched;
