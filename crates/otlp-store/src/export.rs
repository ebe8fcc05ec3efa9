//! An export, checked before anything is made of it.

use std::sync::Arc;

use crate::buffer::Buffer;
use crate::encoded::{EncodedSpan, ResourceKey, ScopeKey};
use crate::error::{ExportError, Rejection};
use crate::id::{SpanId, TraceId};
use crate::limits::MAX_EXPORT_DECODED;
use crate::protobuf::{Message, decoded_size, messages};

/// An `ExportTraceServiceRequest` in protobuf, checked down to the last
/// attribute: a broken one is refused while its sender still listens.
#[derive(Debug)]
pub(crate) struct Export {
    body: Buffer,
    /// Spans that were left out because they are too large.
    pub(crate) too_large: usize,
}

/// A span of an export with its ids, or why it is not kept.
pub(crate) type ExportedSpan = Result<(TraceId, SpanId, EncodedSpan), Rejection>;

impl Export {
    /// Checks a body.
    ///
    /// # Errors
    ///
    /// When it is no export, or too large once it is decoded.
    pub(crate) fn checked(body: Buffer) -> Result<Self, ExportError> {
        decoded_size(&body, Message::Export, MAX_EXPORT_DECODED)?;
        Ok(Self { body, too_large: 0 })
    }

    /// The spans, each copied only when it is asked for: an export takes no more
    /// memory than its body.
    pub(crate) fn spans(&self) -> impl Iterator<Item = ExportedSpan> + '_ {
        messages(&self.body, 1).flat_map(|resource_spans| {
            let resource = Arc::new(ResourceKey::of(resource_spans));
            messages(resource_spans, 2).flat_map(move |scope_spans| {
                let scope = Arc::new(ScopeKey::of(&resource, scope_spans));
                messages(scope_spans, 2).map(move |span| EncodedSpan::of(&scope, span))
            })
        })
    }
}

#[cfg(test)]
mod tests;
