//! Spans and log records as the store keeps them: checked, and still encoded as they came.
//!
//! Most traces are never looked at. A decoded span is some thirty pieces of
//! memory; an encoded one is a single piece, and a third of the size. Each is a
//! copy: a slice of the export would keep the whole export in memory. What a list
//! of traces shows of a span is read when the span arrives, so that listing
//! decodes nothing.

use std::hash::{BuildHasher as _, Hash, Hasher, RandomState};
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use opentelemetry_proto::tonic::common::v1::any_value;
use opentelemetry_proto::tonic::resource::v1::Resource;

use crate::error::Rejection;
use crate::id::{SpanId, TraceId};
use crate::limits::{MAX_PART_BYTES, MAX_PART_DECODED};
use crate::protobuf::{Message, decoded_size, messages};

/// What OpenTelemetry's resource conventions call a service that gives no name.
const UNKNOWN_SERVICE: &str = "unknown_service";

/// The longest name in a list of traces, in bytes; a longer one is cut.
const MAX_NAME: usize = 256;

/// What the allocator and the counts of an [`Arc`] take for one piece of memory.
const ALLOCATION: usize = 32;

/// A message that was checked, so that it decodes.
#[derive(Debug, Clone)]
pub(crate) struct EncodedMessage {
    bytes: Arc<[u8]>,
    /// How many bytes it takes in memory when it is decoded.
    pub(crate) decoded_size: usize,
}

impl EncodedMessage {
    /// Copies a message that was checked with its export. None where it is
    /// larger than any that is kept.
    pub(crate) fn of(bytes: &[u8], message: Message) -> Option<Self> {
        if bytes.len() > MAX_PART_BYTES {
            return None;
        }
        let decoded_size = decoded_size(bytes, message, MAX_PART_DECODED).ok()?;
        Some(Self { bytes: bytes.into(), decoded_size })
    }

    /// What it takes in memory beside itself, in bytes.
    pub(crate) fn weight(&self) -> usize {
        ALLOCATION + self.bytes.len()
    }

    /// The message. It was checked, so it is never None.
    pub(crate) fn decode<M: prost::Message + Default>(&self) -> Option<M> {
        #[cfg(test)]
        DECODED.set(DECODED.get() + 1);
        M::decode(&*self.bytes).ok()
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_NAME)]
}

/// Stands for what a resource or a scope says. Comparing what they say would
/// take as long as they are large, for every span; two that differ have the
/// same fingerprint by chance only, as the keys are random and secret.
#[derive(Debug, Clone, Copy, Eq)]
pub(crate) struct Fingerprint([u64; 2]);

impl Fingerprint {
    fn of(said: &impl Hash) -> Self {
        static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);
        Self(KEYS.each_ref().map(|key| key.hash_one(said)))
    }
}

impl PartialEq for Fingerprint {
    fn eq(&self, other: &Self) -> bool {
        #[cfg(test)]
        COMPARED.set(COMPARED.get() + 1);
        self.0 == other.0
    }
}

impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// The resource of a `ResourceSpans`, or the scope of a `ScopeSpans`; of log records too.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) message: Option<EncodedMessage>,
    pub(crate) schema_url: String,
    fits: bool,
}

impl Head {
    /// Both messages have the same field numbers: 1 for the part, 3 for its schema.
    fn of(list: &[u8], message: Message) -> (Self, impl Hash) {
        let part = messages(list, 1).last();
        let schema_url = messages(list, 3).last().unwrap_or_default();
        let kept = part.map(|part| EncodedMessage::of(part, message));
        let fits = !matches!(kept, Some(None)) && schema_url.len() <= MAX_PART_BYTES;
        let text = if fits { std::str::from_utf8(schema_url).unwrap_or_default() } else { "" };
        (Self { message: kept.flatten(), schema_url: text.to_owned(), fits }, (part, schema_url))
    }
}

/// Who exported an item. All items of one `ResourceSpans` or `ResourceLogs` share it.
#[derive(Debug)]
pub(crate) struct ResourceKey {
    pub(crate) head: Head,
    /// The name of the service, cut where it is long.
    pub(crate) service: String,
    pub(crate) fingerprint: Fingerprint,
}

impl ResourceKey {
    /// The resource of a checked `ResourceSpans`.
    pub(crate) fn of(resource_spans: &[u8]) -> Self {
        let (head, said) = Head::of(resource_spans, Message::Resource);
        let fingerprint = Fingerprint::of(&said);
        Self { service: service(head.message.as_ref()), head, fingerprint }
    }
}

/// Which instrumentation, within a [`ResourceKey`], made an item.
#[derive(Debug)]
pub(crate) struct ScopeKey {
    pub(crate) resource: Arc<ResourceKey>,
    pub(crate) head: Head,
    pub(crate) fingerprint: Fingerprint,
}

impl ScopeKey {
    /// The scope of a checked `ScopeSpans`.
    pub(crate) fn of(resource: &Arc<ResourceKey>, scope_spans: &[u8]) -> Self {
        let (head, said) = Head::of(scope_spans, Message::Scope);
        let fingerprint = Fingerprint::of(&(resource.fingerprint, said));
        Self { resource: Arc::clone(resource), head, fingerprint }
    }

    fn heads(&self) -> [&Head; 2] {
        [&self.resource.head, &self.head]
    }

    /// A message of this scope, copied.
    fn message(&self, bytes: &[u8], message: Message) -> Result<EncodedMessage, Rejection> {
        let fits = self.heads().iter().all(|head| head.fits);
        EncodedMessage::of(bytes, message).filter(|_| fits).ok_or(Rejection::TooLarge)
    }

    fn messages(&self) -> impl Iterator<Item = &EncodedMessage> {
        self.heads().into_iter().filter_map(|head| head.message.as_ref())
    }

    /// What a trace is charged for a scope, in bytes: an export with a huge
    /// resource and a tiny span must not slip past the store's bound.
    pub(crate) fn weight(&self) -> usize {
        let urls: usize = self.heads().iter().map(|head| head.schema_url.len()).sum();
        let messages: usize = self.messages().map(EncodedMessage::weight).sum();
        let keys = size_of::<ResourceKey>() + size_of::<Self>() + 2 * ALLOCATION;
        keys + self.resource.service.len() + urls + messages
    }

    pub(crate) fn decoded_size(&self) -> usize {
        self.messages().map(|message| message.decoded_size).sum()
    }
}

fn service(resource: Option<&EncodedMessage>) -> String {
    let resource: Resource = resource.and_then(EncodedMessage::decode).unwrap_or_default();
    let named = resource.attributes.iter().find(|attribute| attribute.key == "service.name");
    let value = named.and_then(|attribute| attribute.value.as_ref()?.value.as_ref());
    match value {
        Some(any_value::Value::StringValue(name)) => cut(name).to_owned(),
        _ => UNKNOWN_SERVICE.to_owned(),
    }
}

/// What the store must know of a span without decoding all of it.
#[derive(Clone, PartialEq, prost::Message)]
struct SpanHead {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent_span_id: Vec<u8>,
    #[prost(fixed64, tag = "7")]
    start_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    end_unix_nano: u64,
}

/// A span with its scope.
#[derive(Debug)]
pub(crate) struct EncodedSpan {
    pub(crate) parent: Option<SpanId>,
    pub(crate) start_unix_nano: u64,
    pub(crate) end_unix_nano: u64,
    /// Where its name stands in its message.
    name: Range<u32>,
    pub(crate) message: EncodedMessage,
    pub(crate) scope: Arc<ScopeKey>,
}

impl EncodedSpan {
    /// A span that was checked with its export, and its ids.
    ///
    /// # Errors
    ///
    /// When it has no valid ids, or is larger than any that is kept.
    pub(crate) fn of(
        scope: &Arc<ScopeKey>,
        bytes: &[u8],
    ) -> Result<(TraceId, SpanId, Self), Rejection> {
        let message = scope.message(bytes, Message::Span)?;
        let head = <SpanHead as prost::Message>::decode(bytes).map_err(|_| Rejection::Malformed)?;
        let id = |_| Rejection::Malformed;
        let trace_id = head.trace_id.as_slice().try_into().map_err(id)?;
        let span_id = head.span_id.as_slice().try_into().map_err(id)?;
        let span = Self {
            parent: head.parent_span_id.as_slice().try_into().ok(),
            start_unix_nano: head.start_unix_nano,
            end_unix_nano: head.end_unix_nano,
            name: messages(bytes, 5).last().map_or(0..0, |name| place(name, bytes)),
            message,
            scope: Arc::clone(scope),
        };
        Ok((trace_id, span_id, span))
    }

    /// What it takes in memory beside itself, in bytes.
    pub(crate) fn weight(&self) -> usize {
        self.message.weight()
    }

    /// Its name, cut where it is long. Nothing is decoded for it.
    pub(crate) fn name(&self) -> &str {
        let name = self.message.bytes.get(self.name.start as usize..self.name.end as usize);
        cut(name.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default())
    }
}

/// What the store must know of a log record.
#[derive(Clone, PartialEq, prost::Message)]
struct RecordHead {
    #[prost(fixed64, tag = "1")]
    time_unix_nano: u64,
    #[prost(bytes = "vec", tag = "9")]
    trace_id: Vec<u8>,
    #[prost(fixed64, tag = "11")]
    observed_time_unix_nano: u64,
}

/// A log record with its scope.
#[derive(Debug)]
pub(crate) struct EncodedRecord {
    pub(crate) at_unix_nano: u64,
    pub(crate) message: EncodedMessage,
    pub(crate) scope: Arc<ScopeKey>,
}

impl EncodedRecord {
    /// A log record that was checked with its export, and its trace.
    ///
    /// # Errors
    ///
    /// When it belongs to no trace, or is larger than any that is kept.
    pub(crate) fn of(scope: &Arc<ScopeKey>, bytes: &[u8]) -> Result<(TraceId, Self), Rejection> {
        let head =
            <RecordHead as prost::Message>::decode(bytes).map_err(|_| Rejection::Malformed)?;
        // OTLP: an id that is no id means that there is none.
        let trace_id = head.trace_id.as_slice().try_into().map_err(|_| Rejection::NoTrace)?;
        let message = scope.message(bytes, Message::LogRecord)?;
        let at_unix_nano = match head.time_unix_nano {
            0 => head.observed_time_unix_nano,
            at => at,
        };
        Ok((trace_id, Self { at_unix_nano, message, scope: Arc::clone(scope) }))
    }

    /// What it takes in memory beside itself, in bytes.
    pub(crate) fn weight(&self) -> usize {
        self.message.weight()
    }
}

/// Where a part stands in the whole that it was taken from.
fn place(part: &[u8], whole: &[u8]) -> Range<u32> {
    let start = part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
    let range = (u32::try_from(start), u32::try_from(start + part.len()));
    if let (Ok(start), Ok(end)) = range { start..end } else { 0..0 }
}

#[cfg(test)]
thread_local! {
    /// How many messages this thread has decoded.
    pub(crate) static DECODED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    /// How many pairs of fingerprints this thread has compared.
    pub(crate) static COMPARED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}
