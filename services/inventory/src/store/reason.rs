//! Why a store does not work.

use campuscafe_database::Reason as DatabaseReason;

/// From a small closed set: each is a value of `error.type` and a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// More changes wait for the file than can be written soon.
    FileBusy,
    /// A commit to the file has failed, and the file is not open again yet.
    FileFailed,
    /// The database did not do it.
    Database(DatabaseReason),
}

impl Reason {
    /// Every reason, for series that must exist from the start.
    pub(crate) const ALL: [Self; 7] = {
        let [busy, unavailable, timeout, conflict, refused] = DatabaseReason::ALL;
        [
            Self::FileBusy,
            Self::FileFailed,
            Self::Database(busy),
            Self::Database(unavailable),
            Self::Database(timeout),
            Self::Database(conflict),
            Self::Database(refused),
        ]
    };

    /// The value of `error.type`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::FileBusy => "file_busy",
            Self::FileFailed => "file_failed",
            Self::Database(reason) => reason.as_str(),
        }
    }

    /// The type and the title of the problem that a client is told.
    pub(crate) const fn problem(self) -> (&'static str, &'static str) {
        match self {
            Self::FileBusy => ("store-busy", "Store busy"),
            Self::FileFailed => ("store-unavailable", "Store unavailable"),
            Self::Database(reason) => reason.problem(),
        }
    }

    /// As a part of a sentence.
    pub(crate) const fn sentence(self) -> &'static str {
        match self {
            Self::FileBusy => "more changes wait for the disk than it can write soon",
            Self::FileFailed => "the file of the stock cannot be written",
            Self::Database(reason) => reason.sentence(),
        }
    }
}
