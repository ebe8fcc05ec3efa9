//! A file of keys and values with one writer.
//!
//! The owner of a [`FileStore`] decides in memory, under a lock of its own, and queues the rows
//! that changed under the same lock: so the file sees the changes in the order of the decisions.
//! It then releases the lock, waits for the [`Ticket`], and only then answers. One thread takes
//! all that is queued, writes it in one transaction, syncs the file, and resolves the tickets:
//! many changes share one sync ("group commit").
//!
//! When a commit fails, the values in memory are ahead of the file. From then on the store
//! refuses every row until its owner has read the file anew: see [`FileStore::recover`].

mod database;
mod error;
pub mod json;
mod overlay;
mod queue;
mod source;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod ticket;

pub use error::{OpenError, ReadError, WriteError};
pub use redb::StorageBackend;
pub use source::{Rows, Source};
pub use store::{FileStore, Recovery};
pub use ticket::Ticket;

/// One change of the file: a value is written, or its key is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The table that holds the key; it is created with its first row. Any name but
    /// `campuscafe`, which holds what the store itself needs.
    pub table: &'static str,
    /// The key, unique in its table.
    pub key: Vec<u8>,
    /// The value from now on; `None` removes the key.
    pub value: Option<Vec<u8>>,
}
