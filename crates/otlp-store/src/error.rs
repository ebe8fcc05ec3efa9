//! Why an export is refused whole, or one of its items is.

use crate::limits::{BODY_TIMEOUT, MAX_EXPORT_DECODED, RETRY_AFTER};
use crate::signal::Signal;

/// Why an export was refused whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error("expected Content-Encoding gzip, identity or none")]
    UnsupportedEncoding,
    #[error("expected a body of at most {limit} bytes")]
    TooLarge { limit: usize },
    #[error("expected an export that decodes to at most {MAX_EXPORT_DECODED} bytes")]
    TooLargeDecoded,
    #[error("expected the whole body within {} s", BODY_TIMEOUT.as_secs())]
    TooSlow,
    #[error("expected the whole body; {0}")]
    Interrupted(String),
    #[error("expected an export of OTLP in the encoding that Content-Type names; {0}")]
    Malformed(String),
    #[error(
        "too many exports are being read. Nothing was done for this one; send it again after {RETRY_AFTER} s"
    )]
    Busy,
}

/// There was no memory, or no turn, in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

impl From<Busy> for ExportError {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

impl ExportError {
    /// The reason for a media type or a content encoding that is not supported.
    pub(crate) const UNSUPPORTED: &'static str = "unsupported";

    /// Every reason, for series that must exist from the start.
    pub(crate) const REASONS: [&'static str; 6] =
        [Self::UNSUPPORTED, "too_large", "too_slow", "interrupted", "malformed", "busy"];

    pub(crate) fn malformed(what: impl ToString) -> Self {
        Self::Malformed(what.to_string())
    }

    /// The value of the label `reason`.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::UnsupportedEncoding => Self::UNSUPPORTED,
            Self::TooLarge { .. } | Self::TooLargeDecoded => "too_large",
            Self::TooSlow => "too_slow",
            Self::Interrupted(_) => "interrupted",
            Self::Malformed(_) => "malformed",
            Self::Busy => "busy",
        }
    }
}

/// Why a span or a log record was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// A span's trace id or span id is none.
    Malformed,
    /// It, its resource or its scope is too large.
    TooLarge,
    /// Its trace has as many of them, or as many bytes, as are kept of one.
    TraceFull,
    /// Its trace was evicted before it came.
    TraceEvicted,
    /// A log record has no trace id.
    NoTrace,
}

impl Rejection {
    /// Why an item of this kind may not be taken.
    pub(crate) const fn all(of: Signal) -> [Self; 4] {
        match of {
            Signal::Spans => [Self::Malformed, Self::TooLarge, Self::TraceFull, Self::TraceEvicted],
            Signal::Logs => [Self::NoTrace, Self::TooLarge, Self::TraceFull, Self::TraceEvicted],
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::TraceFull => "trace_full",
            Self::TraceEvicted => "trace_evicted",
            Self::NoTrace => "no_trace",
        }
    }
}
