//! A transaction: its statements, its end, and what is known of it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Object;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::error::Error;
use crate::observe::Observed;
use crate::pool::Database;
use crate::statement::{BEGIN, COMMIT, ROLLBACK, Statement};

/// Why a transaction has no result.
#[derive(Debug)]
pub enum Failed<T> {
    /// It is not committed, and will not be.
    NotDone(Error),
    /// The commit was sent, and no answer came: it may be done, with this result.
    Unknown(Error, T),
}

impl<T> Failed<T> {
    /// What the database, or its absence, said.
    pub const fn error(&self) -> &Error {
        match self {
            Self::NotDone(error) | Self::Unknown(error, _) => error,
        }
    }
}

/// A transaction that is under way; a clone is the same one. Whoever runs it ends it.
#[derive(Debug, Clone)]
pub struct Transaction(Arc<UnderWay>);

#[derive(Debug)]
struct UnderWay {
    /// None once it has ended.
    connection: Option<Object>,
    observed: Observed,
}

/// A transaction that nobody has ended, because its caller left or ran out of time: a statement
/// may still be under way, so its connection is not used again.
impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(Object::take(connection));
        }
    }
}

impl Transaction {
    /// All rows of a query.
    ///
    /// # Errors
    ///
    /// When the database does not give them.
    pub async fn query(
        &self,
        statement: Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let connection = self.connection()?;
        let run = async {
            let prepared = connection.prepare_cached(statement.sql).await?;
            connection.query(&prepared, parameters).await
        };
        self.0.observed.statement(statement, run).await
    }

    /// The first row of a query, if there is one.
    ///
    /// # Errors
    ///
    /// As [`Self::query`].
    pub async fn query_first(
        &self,
        statement: Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, Error> {
        Ok(self.query(statement, parameters).await?.into_iter().next())
    }

    /// Changes rows; tells how many.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn execute(
        &self,
        statement: Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Error> {
        let connection = self.connection()?;
        let run = async {
            let prepared = connection.prepare_cached(statement.sql).await?;
            connection.execute(&prepared, parameters).await
        };
        self.0.observed.statement(statement, run).await
    }

    /// Several statements without parameters, under one name.
    pub(crate) async fn script(&self, summary: &'static str, sql: &str) -> Result<(), Error> {
        let run = self.connection()?.batch_execute(sql);
        self.0.observed.statement(Statement::new(summary, ""), run).await
    }

    async fn simple(&self, statement: Statement) -> Result<(), Error> {
        self.script(statement.summary, statement.sql).await
    }

    fn connection(&self) -> Result<&Object, Error> {
        self.0.connection.as_ref().ok_or_else(Error::timeout)
    }

    /// Gives the connection back; nothing is under way in it.
    fn end(self) {
        if let Some(mut under_way) = Arc::into_inner(self.0) {
            drop(under_way.connection.take());
        }
    }
}

impl Database {
    /// One transaction, within its limit. `work` runs again when others have changed the same rows
    /// meanwhile, so it may do nothing but its statements.
    ///
    /// # Errors
    ///
    /// When it is not committed, or when nobody knows.
    pub async fn transaction<T, F>(&self, work: impl Fn(Transaction) -> F) -> Result<T, Failed<T>>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.transaction_within(self.limits.transaction, work).await
    }

    /// The same within a limit of its own.
    pub(crate) async fn transaction_within<T, F>(
        &self,
        limit: Duration,
        work: impl Fn(Transaction) -> F,
    ) -> Result<T, Failed<T>>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let deadline = Instant::now() + limit;
        loop {
            let ended = self.once(deadline, &work).await;
            self.tell_connections();
            match ended {
                Err(Failed::NotDone(error)) if error.is_conflict() && Instant::now() < deadline => {
                }
                ended => return ended,
            }
        }
    }

    async fn once<T, F>(
        &self,
        deadline: Instant,
        work: impl Fn(Transaction) -> F,
    ) -> Result<T, Failed<T>>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let connection = in_time(deadline, self.connection()).await.map_err(Failed::NotDone)?;
        let observed = self.observed.clone();
        let transaction =
            Transaction(Arc::new(UnderWay { connection: Some(connection), observed }));
        let begun = async {
            transaction.simple(BEGIN).await?;
            work(transaction.clone()).await
        };
        match in_time(deadline, begun).await {
            Ok(result) => match in_time(deadline, transaction.simple(COMMIT)).await {
                Ok(()) => {
                    transaction.end();
                    Ok(result)
                }
                Err(error) if error.is_said_by_the_server() => {
                    transaction.end();
                    Err(Failed::NotDone(error))
                }
                Err(error) => Err(Failed::Unknown(error, result)),
            },
            Err(error) => {
                let rolled_back =
                    error.is_said_by_the_server() && transaction.simple(ROLLBACK).await.is_ok();
                if rolled_back {
                    transaction.end();
                }
                Err(Failed::NotDone(error))
            }
        }
    }
}

async fn in_time<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    timeout_at(deadline, work).await.unwrap_or_else(|_| Err(Error::timeout()))
}
