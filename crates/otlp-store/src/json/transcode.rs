//! An export in JSON, rewritten in protobuf an item at a time. Read whole, JSON
//! takes some fifty times its size.

use std::borrow::Cow;

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer as _, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::OtlpJsonError;
use super::read::read;
use super::size::check_size;
use crate::buffer::Buffer;
use crate::error::ExportError;
use crate::limits::{MAX_PART_BYTES, MAX_PART_DECODED};
use crate::signal::Signal;

/// JSON is longer than protobuf, by far where a span has many small values.
const JSON_PER_BYTE: usize = 8;

/// An export in protobuf.
#[derive(Debug)]
pub(crate) struct Transcoded {
    pub(crate) protobuf: Buffer,
    /// Items that were left out because they are too large.
    pub(crate) too_large: usize,
}

/// Rewrites an export. Around the items, those of spans and of log records are the same in
/// protobuf.
///
/// # Errors
///
/// As [`super::parse_otlp_json`]; also when a resource or scope is too large, or
/// when it takes more than `limit` bytes in protobuf.
pub(crate) fn transcode(
    signal: Signal,
    json: &[u8],
    limit: usize,
) -> Result<Transcoded, ExportError> {
    let text = std::str::from_utf8(json).map_err(ExportError::malformed)?;
    let [resources, scopes, items] = signal.lists();
    let [list] = members("the whole", parse(text)?, [resources])?;
    let mut writer = Writer { protobuf: Buffer::new(limit)?, limit };
    let mut too_large = 0;
    for resource_spans in each(resources, list)? {
        let [resource, list, url] =
            members(resources, resource_spans, ["resource", scopes, "schemaUrl"])?;
        let begin = writer.begin()?;
        writer.write(&ResourceSpans {
            resource: part::<Resource>("resource", resource)?,
            schema_url: part("schemaUrl", url)?.unwrap_or_default(),
            ..ResourceSpans::default()
        })?;
        for scope_spans in each(scopes, list)? {
            let [scope, list, url] = members(scopes, scope_spans, ["scope", items, "schemaUrl"])?;
            let begin = writer.begin()?;
            writer.write(&ScopeSpans {
                scope: part::<InstrumentationScope>("scope", scope)?,
                schema_url: part("schemaUrl", url)?.unwrap_or_default(),
                ..ScopeSpans::default()
            })?;
            for item in each(items, list)? {
                match writer.item(signal, items, item) {
                    Err(ExportError::TooLargeDecoded) => too_large += 1,
                    written => written?,
                }
            }
            writer.end(begin, SCOPE_SPANS);
        }
        writer.end(begin, RESOURCE_SPANS);
    }
    Ok(Transcoded { protobuf: writer.protobuf, too_large })
}

/// The key of `scope_spans` in a `ResourceSpans`: field 2, length-delimited.
const SCOPE_SPANS: u8 = 2 << 3 | 2;

/// The key of `resource_spans` in an export: field 1, length-delimited.
const RESOURCE_SPANS: u8 = 1 << 3 | 2;

/// The bytes of a length that is filled in later: enough for 4 GiB.
const LENGTH: usize = 5;

struct Writer {
    protobuf: Buffer,
    limit: usize,
}

impl Writer {
    /// Leaves room for the key and the length of a message.
    fn begin(&mut self) -> Result<usize, ExportError> {
        let too_large = ExportError::TooLarge { limit: self.limit };
        let added = self.protobuf.add(&[0; 1 + LENGTH]);
        if added { Ok(self.protobuf.len()) } else { Err(too_large) }
    }

    /// Writes an item as the only one of its list.
    fn item(&mut self, signal: Signal, name: &str, item: &RawValue) -> Result<(), ExportError> {
        match signal {
            Signal::Spans => {
                let spans = part::<Span>(name, Some(item))?.into_iter().collect();
                self.write(&ScopeSpans { spans, ..ScopeSpans::default() })
            }
            Signal::Logs => {
                let log_records = part::<LogRecord>(name, Some(item))?.into_iter().collect();
                self.write(&ScopeLogs { log_records, ..ScopeLogs::default() })
            }
        }
    }

    /// Writes the fields of a message.
    fn write(&mut self, message: &impl Message) -> Result<(), ExportError> {
        let mut place = self.protobuf.spare();
        let room = place.len();
        let written = message.encode(&mut place);
        let left = place.len();
        written.map_err(|_| ExportError::TooLarge { limit: self.limit })?;
        self.protobuf.written(room - left);
        Ok(())
    }

    /// Fills in the key and the length of the message that began there.
    fn end(&mut self, begin: usize, key: u8) {
        let mut length = self.protobuf.len() - begin;
        let head = &mut self.protobuf[begin - LENGTH - 1..begin];
        head[0] = key;
        for (index, byte) in head[1..].iter_mut().enumerate() {
            let more = if index + 1 < LENGTH { 0x80 } else { 0 };
            *byte = (length & 0x7f) as u8 | more;
            length >>= 7;
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, OtlpJsonError> {
    Ok(serde_json::from_str(json)?)
}

/// Those members of an object that are asked for, none of them read yet.
fn members<'a, const N: usize>(
    name: &str,
    object: &'a RawValue,
    wanted: [&'static str; N],
) -> Result<[Option<&'a RawValue>; N], OtlpJsonError> {
    // serde takes a list for an object, too.
    if !object.get().starts_with('{') {
        return Err(OtlpJsonError::expected(name, "an object"));
    }
    let mut object = serde_json::Deserializer::from_str(object.get());
    Ok(object.deserialize_map(Members(wanted))?)
}

/// The members of these names.
struct Members<const N: usize>([&'static str; N]);

impl<'de, const N: usize> Visitor<'de> for Members<N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        let mut seen = [false; N];
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            match self.0.iter().position(|wanted| **wanted == *name) {
                Some(place) if seen[place] => return Err(A::Error::duplicate_field(self.0[place])),
                Some(place) => (found[place], seen[place]) = (members.next_value()?, true),
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

/// What stands in a part that is small enough to be read whole.
fn part<T: DeserializeOwned>(
    name: &str,
    part: Option<&RawValue>,
) -> Result<Option<T>, ExportError> {
    let Some(json) = part.map(RawValue::get) else { return Ok(None) };
    if json.len() > JSON_PER_BYTE * MAX_PART_BYTES {
        return Err(ExportError::TooLargeDecoded);
    }
    check_size(json.as_bytes(), MAX_PART_DECODED)?;
    Ok(Some(read(name, parse(json)?)?))
}

/// The items of a list in a text that is JSON.
fn each<'a>(
    name: &str,
    list: Option<&'a RawValue>,
) -> Result<impl Iterator<Item = &'a RawValue>, OtlpJsonError> {
    let list = list.map_or("[]", RawValue::get);
    let mut rest =
        list.strip_prefix('[').ok_or_else(|| OtlpJsonError::expected(name, "an array"))?;
    Ok(std::iter::from_fn(move || {
        rest = rest.trim_start_matches([',', ' ', '\t', '\r', '\n']);
        let mut values = Deserializer::from_str(rest).into_iter();
        // The bracket at the end is no value.
        let item = values.next()?.ok()?;
        rest = rest.get(values.byte_offset()..)?;
        Some(item)
    }))
}
