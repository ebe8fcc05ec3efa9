//! What an export is of. Exports of spans and of log records differ in their innermost
//! message, in the names of JSON, and in nothing else.

/// What an export is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Spans,
    Logs,
}

impl Signal {
    /// What people call its items.
    pub(crate) const fn items(self) -> &'static str {
        match self {
            Self::Spans => "spans",
            Self::Logs => "log records",
        }
    }

    /// The names of the lists in JSON, from the outermost to that of the items.
    pub(crate) const fn lists(self) -> [&'static str; 3] {
        match self {
            Self::Spans => ["resourceSpans", "scopeSpans", "spans"],
            Self::Logs => ["resourceLogs", "scopeLogs", "logRecords"],
        }
    }

    /// The name in JSON of the number of items that were refused.
    pub(crate) const fn rejected(self) -> &'static str {
        match self {
            Self::Spans => "rejectedSpans",
            Self::Logs => "rejectedLogRecords",
        }
    }
}
