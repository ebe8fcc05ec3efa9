//! Spans as they are kept: checked, and still packed as they came.
//!
//! Most traces are never looked at. Decoded, a span is some thirty pieces of
//! memory; packed, it is one, and a third of the size.

use std::sync::Arc;

use super::elements::{Message, check, take_one};
use super::id::{SpanId, TraceId};
use super::otlp::Failure;
use super::wire::{Fields, Value, another_type, text};

/// A message that was checked: it decodes, and into this many messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packed {
    bytes: Box<[u8]>,
    pub(super) elements: usize,
}

impl Packed {
    fn checked(bytes: &[u8], message: Message, left: &mut usize) -> Result<Self, Failure> {
        let before = *left;
        check(bytes, message, left)?;
        Ok(Self { bytes: bytes.into(), elements: before - *left })
    }

    /// What it takes in memory, in bytes.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + self.bytes.len()
    }

    /// Unpacked. None never happens, because it was checked.
    pub(super) fn decode<M: prost::Message + Default>(&self) -> Option<M> {
        M::decode(&*self.bytes).ok()
    }
}

/// Who exported a span. One value serves all spans of one export.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Source {
    pub(super) resource: Option<Packed>,
    pub(super) schema_url: String,
}

/// Which instrumentation, within a [`Source`], made a span.
#[derive(Debug, PartialEq)]
pub(super) struct Origin {
    pub(super) source: Arc<Source>,
    pub(super) scope: Option<Packed>,
    pub(super) schema_url: String,
}

impl Origin {
    fn parts(&self) -> impl Iterator<Item = &Packed> {
        self.source.resource.iter().chain(&self.scope)
    }

    /// What a trace is charged for coming from here, in bytes: an export with
    /// a huge resource and a tiny span must not slip past the store's bound.
    pub(super) fn weight(&self) -> usize {
        let text = self.source.schema_url.len() + self.schema_url.len();
        size_of::<Source>()
            + size_of::<Self>()
            + text
            + self.parts().map(Packed::weight).sum::<usize>()
    }

    pub(super) fn elements(&self) -> usize {
        self.parts().map(|part| part.elements).sum()
    }
}

/// A span, and what must be known of it without unpacking.
#[derive(Debug)]
pub(super) struct PackedSpan {
    /// None where one of them is none.
    pub(super) ids: Option<(TraceId, SpanId)>,
    pub(super) start_unix_nano: u64,
    pub(super) packed: Packed,
}

impl PackedSpan {
    fn checked(bytes: &[u8], left: &mut usize) -> Result<Self, Failure> {
        let packed = Packed::checked(bytes, Message::Span, left)?;
        let (mut trace_id, mut span_id, mut start_unix_nano) = (&[][..], &[][..], 0);
        for field in Fields::of(bytes) {
            match field? {
                (1, Value::Length(id)) => trace_id = id,
                (2, Value::Length(id)) => span_id = id,
                (7, Value::Fixed64(nanos)) => start_unix_nano = u64::from_le_bytes(nanos),
                _ => {}
            }
        }
        let ids = trace_id.try_into().ok().zip(span_id.try_into().ok());
        Ok(Self { ids, start_unix_nano, packed })
    }
}

/// Spans of one origin.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) origin: Arc<Origin>,
    pub(super) spans: Vec<PackedSpan>,
}

/// An export, taken apart and checked down to the last attribute.
#[derive(Debug, Default)]
pub(super) struct PackedExport {
    pub(super) batches: Vec<Batch>,
}

impl PackedExport {
    /// Takes apart an `ExportTraceServiceRequest` in protobuf.
    ///
    /// # Errors
    ///
    /// When it is none, or holds more than `limit` messages.
    pub(super) fn of(body: &[u8], limit: usize) -> Result<Self, Failure> {
        let mut left = limit;
        let mut export = Self::default();
        for field in Fields::of(body) {
            match field? {
                (1, Value::Length(spans)) => export.resource_spans(spans, &mut left)?,
                (1, _) => return Err(another_type(1)),
                _ => {}
            }
        }
        Ok(export)
    }

    fn resource_spans(&mut self, body: &[u8], left: &mut usize) -> Result<(), Failure> {
        take_one(left)?;
        let (mut source, mut scopes) = (Source::default(), Vec::new());
        for field in Fields::of(body) {
            match field? {
                (1, Value::Length(resource)) => {
                    source.resource = Some(Packed::checked(resource, Message::Resource, left)?);
                }
                (2, Value::Length(spans)) => scopes.push(ScopeSpans::checked(spans, left)?),
                (3, Value::Length(url)) => source.schema_url = text(url)?.to_owned(),
                (field @ 1..=3, _) => return Err(another_type(field)),
                _ => {}
            }
        }
        let source = Arc::new(source);
        self.batches.extend(scopes.into_iter().map(|ScopeSpans { scope, spans, schema_url }| {
            let source = Arc::clone(&source);
            Batch { origin: Arc::new(Origin { source, scope, schema_url }), spans }
        }));
        Ok(())
    }
}

/// Spans of one scope, whose source is not known yet.
#[derive(Debug, Default)]
struct ScopeSpans {
    scope: Option<Packed>,
    spans: Vec<PackedSpan>,
    schema_url: String,
}

impl ScopeSpans {
    fn checked(body: &[u8], left: &mut usize) -> Result<Self, Failure> {
        take_one(left)?;
        let mut found = Self::default();
        for field in Fields::of(body) {
            match field? {
                (1, Value::Length(scope)) => {
                    found.scope = Some(Packed::checked(scope, Message::Scope, left)?);
                }
                (2, Value::Length(span)) => found.spans.push(PackedSpan::checked(span, left)?),
                (3, Value::Length(url)) => found.schema_url = text(url)?.to_owned(),
                (field @ 1..=3, _) => return Err(another_type(field)),
                _ => {}
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
