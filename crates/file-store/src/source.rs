//! Reading rows: of a store, and of one that is open again after a failure.

use crate::{FileStore, ReadError, Recovery};

/// The keys of a table and their values, sorted by key.
pub type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// Where rows are read from. It blocks, also while a commit is under way: it is meant for the
/// start.
pub trait Source {
    /// Shows all rows of a table, sorted by key, until `visit` fails: a large table need not
    /// be in memory. A table that was never written has no rows.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or as `visit`.
    fn visit<E: From<ReadError>>(
        &self,
        table: &'static str,
        visit: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
    ) -> Result<(), E>;

    /// All rows of a table, sorted by key.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    fn rows(&self, table: &'static str) -> Result<Rows, ReadError> {
        let mut rows = Rows::new();
        self.visit(table, |key, value| {
            rows.push((key.to_vec(), value.to_vec()));
            Ok::<(), ReadError>(())
        })?;
        Ok(rows)
    }
}

impl Source for FileStore {
    fn visit<E: From<ReadError>>(
        &self,
        table: &'static str,
        visit: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.file().visit(table, visit)?
    }
}

impl Source for Recovery {
    fn visit<E: From<ReadError>>(
        &self,
        table: &'static str,
        visit: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.file().visit(table, visit)?
    }
}
