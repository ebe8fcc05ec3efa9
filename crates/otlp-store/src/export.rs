//! An export, checked before anything is made of it.

use std::sync::Arc;

use crate::buffer::Buffer;
use crate::encoded::{EncodedRecord, EncodedSpan, ResourceKey, ScopeKey};
use crate::error::{ExportError, Rejection};
use crate::id::{SpanId, TraceId};
use crate::limits::MAX_EXPORT_DECODED;
use crate::protobuf::{Message, decoded_size, messages};
use crate::signal::Signal;

/// An `ExportTraceServiceRequest` or `ExportLogsServiceRequest` in protobuf, checked down to the last
/// attribute: a broken one is refused while its sender still listens.
#[derive(Debug)]
pub(crate) struct Export {
    body: Buffer,
    /// Items that were left out because they are too large.
    pub(crate) too_large: usize,
}

/// A span of an export with its ids, or why it is not kept.
pub(crate) type ExportedSpan = Result<(TraceId, SpanId, EncodedSpan), Rejection>;

/// A log record of an export with its trace, or why it is not kept.
pub(crate) type ExportedRecord = Result<(TraceId, EncodedRecord), Rejection>;

impl Export {
    /// Checks a body.
    ///
    /// # Errors
    ///
    /// When it is no export, or too large once it is decoded.
    pub(crate) fn checked(signal: Signal, body: Buffer) -> Result<Self, ExportError> {
        decoded_size(&body, Message::Export(signal), MAX_EXPORT_DECODED)?;
        Ok(Self { body, too_large: 0 })
    }

    /// The spans of an export of spans.
    pub(crate) fn spans(&self) -> impl Iterator<Item = ExportedSpan> + '_ {
        self.items(EncodedSpan::of)
    }

    /// The log records of an export of log records.
    pub(crate) fn records(&self) -> impl Iterator<Item = ExportedRecord> + '_ {
        self.items(EncodedRecord::of)
    }

    /// The items, each copied only when it is asked for: an export takes no more
    /// memory than its body.
    fn items<T: 'static>(
        &self,
        of: fn(&Arc<ScopeKey>, &[u8]) -> T,
    ) -> impl Iterator<Item = T> + '_ {
        messages(&self.body, 1).flat_map(move |resource_spans| {
            let resource = Arc::new(ResourceKey::of(resource_spans));
            messages(resource_spans, 2).flat_map(move |scope_spans| {
                let scope = Arc::new(ScopeKey::of(&resource, scope_spans));
                messages(scope_spans, 2).map(move |item| of(&scope, item))
            })
        })
    }
}

#[cfg(test)]
mod tests;
