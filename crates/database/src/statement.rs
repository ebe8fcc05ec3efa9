//! A statement and how it is named in telemetry.

/// A statement with a name from a small set: each is a span name and a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// `db.query.summary`: the operation and its table.
    pub summary: &'static str,
    /// With `$1`, `$2` ... for its parameters.
    pub sql: &'static str,
}

impl Statement {
    /// A statement under a name that begins with its operation.
    #[must_use]
    pub const fn new(summary: &'static str, sql: &'static str) -> Self {
        Self { summary, sql }
    }

    /// `db.operation.name`.
    pub(crate) fn operation(&self) -> &'static str {
        self.summary.split(' ').next().unwrap_or(self.summary)
    }
}

pub(crate) const BEGIN: Statement = Statement::new("BEGIN", "BEGIN");
pub(crate) const COMMIT: Statement = Statement::new("COMMIT", "COMMIT");
pub(crate) const ROLLBACK: Statement = Statement::new("ROLLBACK", "ROLLBACK");
