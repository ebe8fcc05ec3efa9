//! Why a file cannot be opened, read or written, as lines for a user.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use redb::DatabaseError;
use thiserror::Error;

/// Why the file cannot be opened. Each is a line that names the file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    /// The directory is not there and cannot be made.
    #[error("cannot make the directory {directory}: {reason}")]
    Directory {
        /// Which.
        directory: String,
        /// What the system says.
        reason: String,
    },
    /// Another process has the file open.
    #[error("{file} is in use: another process has it open; stop it, or name another directory")]
    InUse {
        /// Which.
        file: String,
    },
    /// A newer program has written the file.
    #[error(
        "{file} has format {found}, but this program reads format {known}: a newer program has written it; use that program, or name another directory"
    )]
    Newer {
        /// Which.
        file: String,
        /// The format of the file.
        found: u32,
        /// The format of this program.
        known: u32,
    },
    /// An older program has written the file, in a format that is not read any more.
    #[error(
        "{file} has format {found}, but this program reads format {known}: an older program has written it; use that program, or name another directory"
    )]
    Older {
        /// Which.
        file: String,
        /// The format of the file.
        found: u32,
        /// The format of this program.
        known: u32,
    },
    /// The file is no database, or that of another program.
    #[error("{file} is not a database of this program: {reason}; name another directory")]
    Foreign {
        /// Which.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The file is a database, and damaged.
    #[error("{file} is damaged: {reason}; restore a copy, or name another directory")]
    Damaged {
        /// Which.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The file or its directory cannot be written.
    #[error("cannot write {file}: {reason}; expected a file that can be read and written")]
    ReadOnly {
        /// Which.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// There is no room.
    #[error("cannot write {file}: {reason}; free some space, or name another directory")]
    Full {
        /// Which.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// Anything else.
    #[error("cannot open {file}: {reason}")]
    Other {
        /// Which.
        file: String,
        /// What the system says.
        reason: String,
    },
}

/// Why the file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot read {file}: {reason}")]
pub struct ReadError {
    pub(crate) file: String,
    pub(crate) reason: String,
}

/// Why rows are not known to be durable. The owner must read the file anew, because its own
/// values are ahead of the file: see [`FileStore::recover`](crate::FileStore::recover).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WriteError {
    /// The rows are not in the file, and will not be.
    #[error("not written: {0}")]
    NotWritten(Arc<str>),
    /// The commit failed, and the file could not be read after that: the rows may be in it.
    #[error("it is not known whether it was written: {0}")]
    Unknown(Arc<str>),
}

impl OpenError {
    pub(crate) fn directory(directory: &Path, error: &io::Error) -> Self {
        Self::Directory { directory: directory.display().to_string(), reason: error.to_string() }
    }

    pub(crate) fn from_io(file: &str, error: &io::Error) -> Self {
        let (file, reason) = (file.to_owned(), error.to_string());
        match error.kind() {
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Self::Foreign { file, reason },
            ErrorKind::IsADirectory => {
                Self::Foreign { file, reason: "it is a directory".to_owned() }
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly { file, reason }
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::Full { file, reason }
            }
            _ => Self::Other { file, reason },
        }
    }

    pub(crate) fn from_redb(file: &str, error: redb::Error) -> Self {
        let file = file.to_owned();
        match error {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
                Self::InUse { file }
            }
            redb::Error::Io(error) => Self::from_io(&file, &error),
            redb::Error::Corrupted(reason) => Self::Damaged { file, reason },
            error @ (redb::Error::TableTypeMismatch { .. } | redb::Error::UpgradeRequired(_)) => {
                Self::Foreign { file, reason: error.to_string() }
            }
            error => Self::Other { file, reason: error.to_string() },
        }
    }

    pub(crate) fn from_database(file: &str, error: DatabaseError) -> Self {
        Self::from_redb(file, error.into())
    }
}
