//! Spans as they are kept: checked, and still packed as they came.
//!
//! Most traces are never looked at. Decoded, a span is some thirty pieces of
//! memory; packed, it is one, and a third of the size. What a list of traces
//! tells of a span is read when it arrives, so that listing unpacks nothing.

use std::hash::{BuildHasher as _, Hash, Hasher, RandomState};
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use opentelemetry_proto::tonic::common::v1::any_value;
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::elements::{MAX_PART_BYTES, MAX_PART_ELEMENTS, Message, check};
use super::id::{SpanId, TraceId};
use super::metrics::Unfit;
use super::wire::{Fields, Value, messages};

/// What OpenTelemetry's resource conventions call a service that gives no name.
const UNKNOWN_SERVICE: &str = "unknown_service";

/// The longest name in a list of traces, in bytes; a longer one is cut.
const MAX_NAME: usize = 256;

/// What the allocator and the counts of an [`Arc`] take for one piece of memory.
const ALLOCATION: usize = 32;

/// A message that was checked: it decodes, and into this many messages.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    bytes: Arc<[u8]>,
    pub(super) elements: usize,
}

impl Packed {
    /// Keeps a message that was checked. None where it is larger than any that
    /// is kept.
    pub(super) fn of(bytes: &[u8], elements: usize) -> Option<Self> {
        let fits = bytes.len() <= MAX_PART_BYTES && elements <= MAX_PART_ELEMENTS;
        fits.then(|| Self { bytes: bytes.into(), elements })
    }

    /// What it takes in memory beside itself, in bytes.
    pub(super) fn weight(&self) -> usize {
        ALLOCATION + self.bytes.len()
    }

    /// Unpacked. None never happens, because it was checked.
    pub(super) fn decode<M: prost::Message + Default>(&self) -> Option<M> {
        #[cfg(test)]
        tests::DECODED.set(tests::DECODED.get() + 1);
        M::decode(&*self.bytes).ok()
    }

    /// Text that stands in the message, at most [`MAX_NAME`] bytes of it.
    pub(super) fn text(&self, at: &Range<u32>) -> String {
        let at = at.start as usize..at.end as usize;
        let text = self.bytes.get(at).and_then(|bytes| std::str::from_utf8(bytes).ok());
        cut(text.unwrap_or_default()).to_owned()
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_NAME)]
}

/// Stands for what a source or an origin says. Comparing what they say would
/// take as long as they are large, for every span; two that differ have the
/// same fingerprint by chance only, as the keys are random and secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Fingerprint([u64; 2]);

impl Fingerprint {
    fn of(said: &impl Hash) -> Self {
        static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);
        Self(KEYS.each_ref().map(|key| key.hash_one(said)))
    }
}

/// Who exported a span. One value serves all spans of one export.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) resource: Option<Packed>,
    pub(super) schema_url: String,
    /// The name of the service, cut where it is long.
    pub(super) service: String,
    fingerprint: Fingerprint,
    fits: bool,
}

impl Source {
    /// What a checked `ResourceSpans` says of where its spans come from.
    fn of(resource_spans: &[u8]) -> Self {
        let Header { part, schema_url } = Header::of(resource_spans);
        let kept = part.map(|resource| keep(resource, Message::Resource));
        let fits = !matches!(kept, Some(None)) && schema_url.len() <= MAX_PART_BYTES;
        let resource = kept.flatten();
        Self {
            service: service(resource.as_ref()),
            resource,
            schema_url: if fits { schema_url.to_owned() } else { String::new() },
            fingerprint: Fingerprint::of(&(part, schema_url)),
            fits,
        }
    }
}

/// Which instrumentation, within a [`Source`], made a span.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) source: Arc<Source>,
    pub(super) scope: Option<Packed>,
    pub(super) schema_url: String,
    fingerprint: Fingerprint,
    fits: bool,
}

impl Origin {
    /// What a checked `ScopeSpans` says of where its spans come from.
    fn of(source: &Arc<Source>, scope_spans: &[u8]) -> Self {
        let Header { part, schema_url } = Header::of(scope_spans);
        let kept = part.map(|scope| keep(scope, Message::Scope));
        let fits = source.fits && !matches!(kept, Some(None)) && schema_url.len() <= MAX_PART_BYTES;
        Self {
            source: Arc::clone(source),
            scope: kept.flatten(),
            schema_url: if fits { schema_url.to_owned() } else { String::new() },
            fingerprint: Fingerprint::of(&(source.fingerprint, part, schema_url)),
            fits,
        }
    }

    fn parts(&self) -> impl Iterator<Item = &Packed> {
        self.source.resource.iter().chain(&self.scope)
    }

    /// What a trace is charged for coming from here, in bytes: an export with
    /// a huge resource and a tiny span must not slip past the store's bound.
    pub(super) fn weight(&self) -> usize {
        let texts = [&self.source.schema_url, &self.source.service, &self.schema_url];
        let texts: usize = texts.iter().map(|text| text.len()).sum();
        let parts: usize = self.parts().map(Packed::weight).sum();
        size_of::<Source>() + size_of::<Self>() + 2 * ALLOCATION + texts + parts
    }

    pub(super) fn elements(&self) -> usize {
        self.parts().map(|part| part.elements).sum()
    }
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for Source {}

impl Hash for Source {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fingerprint.hash(state);
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        #[cfg(test)]
        tests::COMPARED.set(tests::COMPARED.get() + 1);
        self.fingerprint == other.fingerprint
    }
}

impl Eq for Origin {}

impl Hash for Origin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fingerprint.hash(state);
    }
}

/// The fields beside the list in a `ResourceSpans` or `ScopeSpans`, which have
/// the same numbers in both.
#[derive(Debug, Default)]
struct Header<'a> {
    part: Option<&'a [u8]>,
    schema_url: &'a str,
}

impl<'a> Header<'a> {
    fn of(message: &'a [u8]) -> Self {
        let mut header = Self::default();
        for field in Fields::of(message) {
            match field {
                Ok((1, Value::Length(part))) => header.part = Some(part),
                Ok((3, Value::Length(url))) => {
                    header.schema_url = std::str::from_utf8(url).unwrap_or_default();
                }
                _ => {}
            }
        }
        header
    }
}

/// A resource or scope that was checked with its export. None where it is too
/// large.
fn keep(part: &[u8], message: Message) -> Option<Packed> {
    let mut left = MAX_PART_ELEMENTS;
    check(part, message, &mut left).ok()?;
    Packed::of(part, MAX_PART_ELEMENTS - left)
}

fn service(resource: Option<&Packed>) -> String {
    let resource: Resource = resource.and_then(Packed::decode).unwrap_or_default();
    let named = resource.attributes.iter().find(|attribute| attribute.key == "service.name");
    let value = named.and_then(|attribute| attribute.value.as_ref()?.value.as_ref());
    match value {
        Some(any_value::Value::StringValue(name)) => cut(name).to_owned(),
        _ => UNKNOWN_SERVICE.to_owned(),
    }
}

/// A span, and what must be known of it without unpacking.
#[derive(Debug)]
pub(super) struct PackedSpan {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) parent: Option<SpanId>,
    pub(super) start_unix_nano: u64,
    pub(super) end_unix_nano: u64,
    /// Where its name stands in it.
    pub(super) name: Range<u32>,
    pub(super) packed: Packed,
}

impl PackedSpan {
    /// A span that was checked with its export.
    ///
    /// # Errors
    ///
    /// When it has no valid ids, or is larger than any that is kept.
    pub(super) fn of(origin: &Origin, bytes: &[u8], elements: usize) -> Result<Self, Unfit> {
        let (mut trace_id, mut span_id, mut parent, mut name) = (&[][..], &[][..], &[][..], 0..0);
        let (mut start_unix_nano, mut end_unix_nano) = (0, 0);
        for field in Fields::of(bytes) {
            match field {
                Ok((1, Value::Length(id))) => trace_id = id,
                Ok((2, Value::Length(id))) => span_id = id,
                Ok((4, Value::Length(id))) => parent = id,
                Ok((5, Value::Length(text))) => name = place(text, bytes),
                Ok((7, Value::Fixed64(nanos))) => start_unix_nano = u64::from_le_bytes(nanos),
                Ok((8, Value::Fixed64(nanos))) => end_unix_nano = u64::from_le_bytes(nanos),
                _ => {}
            }
        }
        Ok(Self {
            trace_id: trace_id.try_into().map_err(|_| Unfit::Malformed)?,
            span_id: span_id.try_into().map_err(|_| Unfit::Malformed)?,
            parent: parent.try_into().ok(),
            start_unix_nano,
            end_unix_nano,
            name,
            packed: Packed::of(bytes, elements).filter(|_| origin.fits).ok_or(Unfit::TooLarge)?,
        })
    }
}

/// Where a part stands in the whole that it was taken from.
fn place(part: &[u8], whole: &[u8]) -> Range<u32> {
    let start = part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
    let range = (u32::try_from(start), u32::try_from(start + part.len()));
    if let (Ok(start), Ok(end)) = range { start..end } else { 0..0 }
}

/// A span as it stands in an export, or why it is not kept.
pub(super) type Exported = (Arc<Origin>, Result<PackedSpan, Unfit>);

/// The spans of an export that was checked, each packed only when it is asked
/// for: an export takes no more memory than its body.
pub(super) fn spans<'a>(
    body: &'a [u8],
    elements: &'a [u32],
) -> impl Iterator<Item = Exported> + 'a {
    let spans = messages(body, 1).flat_map(|resource_spans| {
        let source = Arc::new(Source::of(resource_spans));
        messages(resource_spans, 2).flat_map(move |scope_spans| {
            let origin = Arc::new(Origin::of(&source, scope_spans));
            messages(scope_spans, 2).map(move |span| (Arc::clone(&origin), span))
        })
    });
    spans.zip(elements).map(|((origin, span), elements)| {
        let packed = PackedSpan::of(&origin, span, *elements as usize);
        (origin, packed)
    })
}

#[cfg(test)]
pub(super) mod tests;
