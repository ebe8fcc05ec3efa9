//! Every bound of this crate: on one export, on one trace, on the store, on
//! time, and on the memory of all requests.

use std::time::Duration;

/// The largest compressed body, in bytes.
pub const MAX_COMPRESSED: usize = 4 * 1024 * 1024;

/// The largest body once it is decompressed, or if it never was compressed, in bytes.
pub const MAX_DECOMPRESSED: usize = 8 * 1024 * 1024;

/// How long a sender may take to send a body.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// When an export that found no room may be sent again, in seconds.
pub(crate) const RETRY_AFTER: u64 = 1;

/// The largest export once it is decoded, in bytes: 32 MiB. It is never decoded
/// whole; this bounds the work. The largest batches of the OpenTelemetry
/// Collector, 8,192 spans of a dozen attributes, take about 15 MiB.
pub const MAX_EXPORT_DECODED: usize = 32 * 1024 * 1024;

/// The largest span, resource or scope once it is decoded, in bytes: 1 MiB.
/// OpenTelemetry's own limits (128 attributes, events and links) allow more, but
/// no span in use comes near.
pub const MAX_PART_DECODED: usize = 1024 * 1024;

/// The most bytes in one span, or in one resource or scope with its schema URL.
pub const MAX_PART_BYTES: usize = 256 * 1024;

/// How many log records a store keeps of one trace by default. An order with a retry
/// writes about ten lines.
pub const MAX_LOGS_PER_TRACE: usize = 500;

/// How many bytes of memory the log records of one trace use by default: 256 KiB.
pub const MAX_LOG_BYTES_PER_TRACE: usize = 256 * 1024;

/// How many bytes of memory the log records use whose traces have no span yet: 2 MiB.
/// They are within [`MAX_BYTES`]. Spans follow their log lines within seconds.
pub(crate) const MAX_WAITING_BYTES: usize = 2 * 1024 * 1024;

/// How many traces without a span are kept for their log records.
pub(crate) const MAX_WAITING: usize = 8_000;

/// How many traces a store keeps by default.
pub const MAX_TRACES: usize = 2_000;

/// How many bytes of memory a store uses by default: 32 MiB.
/// That is 16 KiB for each of 2,000 traces. A trace of an order with a retry
/// takes about 10 KiB.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;

/// How many spans a store keeps of one trace by default.
pub const MAX_SPANS_PER_TRACE: usize = 2_000;

/// How many bytes of memory one trace uses by default: 4 MiB. A slow reader of
/// a trace that was evicted meanwhile keeps no more than that.
pub const MAX_BYTES_PER_TRACE: usize = 4 * 1024 * 1024;

/// How many bytes one trace takes by default once it is decoded: 24 MiB.
pub const MAX_DECODED_PER_TRACE: usize = 24 * 1024 * 1024;

/// How many bytes of memory all requests use together: 32 MiB.
pub const MAX_IN_FLIGHT: usize = 2 * MAX_SHARE;

/// How many bytes of memory one request uses: a body of 8 MiB, and what it is
/// turned into.
pub(crate) const MAX_SHARE: usize = 16 * 1024 * 1024;

/// How many bytes of memory all readers use together.
pub(crate) const MAX_READING: usize = MAX_IN_FLIGHT / 4;

/// How long a request waits for memory or for its turn.
pub(crate) const WAIT: Duration = Duration::from_secs(5);

/// The bounds of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many traces are kept.
    pub traces: usize,
    /// How many bytes of memory the traces use, with their log records.
    pub bytes: usize,
    /// How many spans of one trace are kept.
    pub spans_per_trace: usize,
    /// How many log records of one trace are kept.
    pub logs_per_trace: usize,
    /// How many bytes of memory the log records of one trace use.
    pub log_bytes_per_trace: usize,
    /// How many bytes of memory one trace uses, with its log records.
    pub bytes_per_trace: usize,
    /// How many bytes one trace takes when somebody decodes it to look at it.
    pub decoded_bytes_per_trace: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            traces: MAX_TRACES,
            bytes: MAX_BYTES - MAX_WAITING_BYTES,
            spans_per_trace: MAX_SPANS_PER_TRACE,
            logs_per_trace: MAX_LOGS_PER_TRACE,
            log_bytes_per_trace: MAX_LOG_BYTES_PER_TRACE,
            bytes_per_trace: MAX_BYTES_PER_TRACE,
            decoded_bytes_per_trace: MAX_DECODED_PER_TRACE,
        }
    }
}
