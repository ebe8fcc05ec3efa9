//! An export in JSON, rewritten in protobuf a span at a time. Read whole, JSON
//! takes some fifty times its size.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::OtlpJsonError;
use super::read::read;
use super::size::check_size;
use crate::buffer::Buffer;
use crate::error::ExportError;
use crate::limits::{MAX_PART_BYTES, MAX_PART_DECODED};

/// JSON is longer than protobuf, by far where a span has many small values.
const JSON_PER_BYTE: usize = 8;

/// An export in protobuf.
#[derive(Debug)]
pub(crate) struct Transcoded {
    pub(crate) protobuf: Buffer,
    /// Spans that were left out because they are too large.
    pub(crate) too_large: usize,
}

/// Rewrites an export.
///
/// # Errors
///
/// As [`super::parse_otlp_json`]; also when a resource or scope is too large, or
/// when it takes more than `limit` bytes in protobuf.
pub(crate) fn transcode(json: &[u8], limit: usize) -> Result<Transcoded, ExportError> {
    let text = std::str::from_utf8(json).map_err(ExportError::malformed)?;
    let export: ExportMembers<'_> = members("the whole", parse(text)?)?;
    let mut writer = Writer { protobuf: Buffer::new(limit)?, limit };
    let mut too_large = 0;
    for item in items("resourceSpans", export.resource_spans)? {
        let list: ResourceSpansMembers<'_> = members("resourceSpans", item)?;
        let begin = writer.begin()?;
        writer.write(&ResourceSpans {
            resource: part::<Resource>("resource", list.resource)?,
            schema_url: part("schemaUrl", list.schema_url)?.unwrap_or_default(),
            ..ResourceSpans::default()
        })?;
        for item in items("scopeSpans", list.scope_spans)? {
            let list: ScopeSpansMembers<'_> = members("scopeSpans", item)?;
            let begin = writer.begin()?;
            writer.write(&ScopeSpans {
                scope: part::<InstrumentationScope>("scope", list.scope)?,
                schema_url: part("schemaUrl", list.schema_url)?.unwrap_or_default(),
                ..ScopeSpans::default()
            })?;
            for item in items("spans", list.spans)? {
                match part::<Span>("spans", Some(item)) {
                    Err(ExportError::TooLargeDecoded) => too_large += 1,
                    span => writer.write(&ScopeSpans {
                        spans: span?.into_iter().collect(),
                        ..ScopeSpans::default()
                    })?,
                }
            }
            writer.end(begin, SCOPE_SPANS);
        }
        writer.end(begin, RESOURCE_SPANS);
    }
    Ok(Transcoded { protobuf: writer.protobuf, too_large })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExportMembers<'a> {
    #[serde(borrow)]
    resource_spans: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpansMembers<'a> {
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    scope_spans: Option<&'a RawValue>,
    schema_url: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScopeSpansMembers<'a> {
    #[serde(borrow)]
    scope: Option<&'a RawValue>,
    spans: Option<&'a RawValue>,
    schema_url: Option<&'a RawValue>,
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

/// The members of an object, none of them read yet.
fn members<'a, T: Deserialize<'a>>(name: &str, object: &'a RawValue) -> Result<T, OtlpJsonError> {
    // serde takes a list for an object, too.
    if !object.get().starts_with('{') {
        return Err(OtlpJsonError::expected(name, "an object"));
    }
    parse(object.get())
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
fn items<'a>(
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
