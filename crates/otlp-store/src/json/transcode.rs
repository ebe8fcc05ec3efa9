//! An export in JSON, rewritten in protobuf a span at a time: read whole, JSON
//! takes some fifty times its size.

use prost::Message;
use prost::bytes::BufMut as _;
use prost::encoding::WireType;
use serde::de::{Deserializer as _, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::fields::Fields;
use super::size::check_size;
use super::{OtlpJsonError, read};
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
    let whole: &RawValue = serde_json::from_str(text).map_err(OtlpJsonError::from)?;
    let mut writer = Writer { protobuf: Buffer::new(limit)?, limit, too_large: 0 };
    let [resource_spans] = members("the whole", whole, ["resourceSpans"])?;
    each("resourceSpans", resource_spans, &mut |item| writer.resource_spans(item))?;
    let Writer { protobuf, too_large, .. } = writer;
    Ok(Transcoded { protobuf, too_large })
}

struct Writer {
    protobuf: Buffer,
    limit: usize,
    too_large: usize,
}

impl Writer {
    fn resource_spans(&mut self, item: &RawValue) -> Result<(), ExportError> {
        let [resource, scope_spans, url] =
            members("resourceSpans", item, ["resource", "scopeSpans", "schemaUrl"])?;
        let begin = self.begin(1)?;
        self.part("resource", resource, read::resource)?;
        each("scopeSpans", scope_spans, &mut |item| self.scope_spans(item))?;
        self.schema_url(url)?;
        self.end(begin);
        Ok(())
    }

    fn scope_spans(&mut self, item: &RawValue) -> Result<(), ExportError> {
        let [scope, spans, url] = members("scopeSpans", item, ["scope", "spans", "schemaUrl"])?;
        let begin = self.begin(2)?;
        self.part("scope", scope, read::scope)?;
        each("spans", spans, &mut |item| match fields("spans", item) {
            Err(ExportError::TooLargeDecoded) => {
                self.too_large += 1;
                Ok(())
            }
            fields => self.message(2, &read::span(fields?)?),
        })?;
        self.schema_url(url)?;
        self.end(begin);
        Ok(())
    }

    fn part<M: Message>(
        &mut self,
        field: &'static str,
        part: Option<&RawValue>,
        read: impl FnOnce(Fields) -> Result<M, OtlpJsonError>,
    ) -> Result<(), ExportError> {
        part.map_or(Ok(()), |part| self.message(1, &read(fields(field, part)?)?))
    }

    fn schema_url(&mut self, url: Option<&RawValue>) -> Result<(), ExportError> {
        let Some(url) = url else { return Ok(()) };
        let wrong = OtlpJsonError::Field { field: "schemaUrl", expected: "a string" };
        let url: String = serde_json::from_str(url.get()).map_err(|_| wrong)?;
        self.write(url.len(), |place| prost::encoding::string::encode(3, &url, place))
    }

    fn message(&mut self, field: u32, message: &impl Message) -> Result<(), ExportError> {
        let length = message.encoded_len();
        self.write(length, |place| prost::encoding::message::encode(field, message, place))
    }

    /// Begins a message whose length is not known yet.
    fn begin(&mut self, field: u32) -> Result<usize, ExportError> {
        self.write(0, |place| {
            prost::encoding::encode_key(field, WireType::LengthDelimited, place);
            place.put_bytes(0, LENGTH);
        })?;
        Ok(self.protobuf.len())
    }

    fn end(&mut self, begin: usize) {
        let mut length = self.protobuf.len() - begin;
        for (index, byte) in self.protobuf[begin - LENGTH..begin].iter_mut().enumerate() {
            let more = if index + 1 < LENGTH { 0x80 } else { 0 };
            *byte = (length & 0x7f) as u8 | more;
            length >>= 7;
        }
    }

    /// Writes a field of this length.
    fn write(
        &mut self,
        length: usize,
        encode: impl FnOnce(&mut &mut [u8]),
    ) -> Result<(), ExportError> {
        let mut place = self.protobuf.spare();
        let room = place.len();
        // With the field's key and its length.
        if room < length + 2 * LENGTH {
            return Err(ExportError::TooLarge { limit: self.limit });
        }
        encode(&mut place);
        let left = place.len();
        self.protobuf.written(room - left);
        Ok(())
    }
}

/// A length takes this many bytes where it is filled in later: enough for 4 GiB.
const LENGTH: usize = 5;

/// What stands in a part that is small enough to be read whole.
fn fields(field: &'static str, part: &RawValue) -> Result<Fields, ExportError> {
    let text = part.get();
    if text.len() > JSON_PER_BYTE * MAX_PART_BYTES {
        return Err(ExportError::TooLargeDecoded);
    }
    check_size(text.as_bytes(), MAX_PART_DECODED)?;
    let value = serde_json::from_str(text).map_err(OtlpJsonError::from)?;
    Ok(Fields::of(field, value)?)
}

/// The members of an object that are known by name; null is the same as none.
fn members<'a, const N: usize>(
    field: &'static str,
    object: &'a RawValue,
    names: [&'static str; N],
) -> Result<[Option<&'a RawValue>; N], OtlpJsonError> {
    struct Members<const N: usize>([&'static str; N]);

    impl<'a, const N: usize> Visitor<'a> for Members<N> {
        type Value = [Option<&'a RawValue>; N];

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = [None; N];
            while let Some(key) = map.next_key::<String>()? {
                match self.0.iter().position(|name| *name == key) {
                    Some(index) => found[index] = Some(map.next_value::<&'a RawValue>()?),
                    None => {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
            }
            Ok(found.map(|value| value.filter(|value| value.get() != "null")))
        }
    }

    if !object.get().starts_with('{') {
        return Err(OtlpJsonError::Field { field, expected: "an object" });
    }
    Ok(Deserializer::from_str(object.get()).deserialize_map(Members(names))?)
}

/// Does something with each item of a list; null is the same as an empty one.
fn each<'a>(
    field: &'static str,
    list: Option<&'a RawValue>,
    act: &mut dyn FnMut(&'a RawValue) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    struct Items<'b, 'a> {
        act: &'b mut dyn FnMut(&'a RawValue) -> Result<(), ExportError>,
        failure: &'b mut Option<ExportError>,
    }

    impl<'a> Visitor<'a> for Items<'_, 'a> {
        type Value = ();

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<(), A::Error> {
            while let Some(item) = items.next_element::<&'a RawValue>()? {
                if let Err(failure) = (self.act)(item) {
                    *self.failure = Some(failure);
                    return Err(A::Error::custom("refused"));
                }
            }
            Ok(())
        }
    }

    let Some(list) = list else { return Ok(()) };
    if !list.get().starts_with('[') {
        return Err(OtlpJsonError::Field { field, expected: "an array" }.into());
    }
    let mut failure = None;
    let items = Items { act, failure: &mut failure };
    let done = Deserializer::from_str(list.get()).deserialize_seq(items);
    match failure {
        Some(failure) => Err(failure),
        None => Ok(done.map_err(OtlpJsonError::from)?),
    }
}
