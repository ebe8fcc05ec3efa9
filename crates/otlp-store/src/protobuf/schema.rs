//! OTLP's messages: whether bytes decode as one, and how much memory that takes.
//!
//! Both are known before anything is decoded. An empty link is 2 bytes of
//! protobuf and 104 bytes in memory, so a limit on the encoded size alone would
//! not bound what a hostile export turns into: a span of 256 KiB could decode to
//! 13 MiB.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::encoding::WireType;

use super::wire::fields;
use crate::error::ExportError;
use crate::signal::Signal;

/// `prost` refuses messages that nest deeper than 100.
const MAX_DEPTH: usize = 90;

/// A message of an export (<https://github.com/open-telemetry/opentelemetry-proto>).
/// What is around spans and around log records is of one shape.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Message {
    Export(Signal),
    ResourceSpans(Signal),
    ScopeSpans(Signal),
    Resource,
    Entity,
    Scope,
    Span,
    Event,
    Link,
    Status,
    LogRecord,
    KeyValue,
    AnyValue,
    ArrayValue,
    KeyValueList,
}

/// What a field must hold.
enum Kind {
    Message(Message),
    Text,
    Other(WireType),
}

impl Message {
    /// How many bytes it takes in memory, without the messages and texts in it.
    const fn size(self) -> usize {
        match self {
            Self::Export(_) => size_of::<ExportTraceServiceRequest>(),
            Self::ResourceSpans(_) => size_of::<ResourceSpans>(),
            Self::ScopeSpans(_) => size_of::<ScopeSpans>(),
            Self::Resource => size_of::<Resource>(),
            Self::Entity => size_of::<EntityRef>(),
            Self::Scope => size_of::<InstrumentationScope>(),
            Self::Span => size_of::<Span>(),
            Self::Event => size_of::<Event>(),
            Self::Link => size_of::<Link>(),
            Self::Status => size_of::<Status>(),
            Self::LogRecord => size_of::<LogRecord>(),
            Self::KeyValue => size_of::<KeyValue>(),
            Self::AnyValue => size_of::<AnyValue>(),
            Self::ArrayValue => size_of::<ArrayValue>(),
            Self::KeyValueList => size_of::<KeyValueList>(),
        }
    }

    /// What belongs in a field, by the field's number. None for an unknown field.
    const fn field(self, number: u32) -> Option<Kind> {
        Some(match (self, number) {
            (Self::Export(of), 1) => Kind::Message(Self::ResourceSpans(of)),
            (Self::ResourceSpans(_), 1) => Kind::Message(Self::Resource),
            (Self::ResourceSpans(of), 2) => Kind::Message(Self::ScopeSpans(of)),
            (Self::ScopeSpans(_), 1) => Kind::Message(Self::Scope),
            (Self::ScopeSpans(Signal::Spans), 2) => Kind::Message(Self::Span),
            (Self::ScopeSpans(Signal::Logs), 2) => Kind::Message(Self::LogRecord),
            (Self::Span, 11) => Kind::Message(Self::Event),
            (Self::Span, 13) => Kind::Message(Self::Link),
            (Self::Span, 15) => Kind::Message(Self::Status),
            (Self::Resource, 3) => Kind::Message(Self::Entity),
            (Self::Resource | Self::KeyValueList, 1)
            | (Self::Scope | Self::Event, 3)
            | (Self::Span, 9)
            | (Self::LogRecord, 6)
            | (Self::Link, 4) => Kind::Message(Self::KeyValue),
            (Self::KeyValue, 2) | (Self::ArrayValue, 1) | (Self::LogRecord, 5) => {
                Kind::Message(Self::AnyValue)
            }
            (Self::AnyValue, 5) => Kind::Message(Self::ArrayValue),
            (Self::AnyValue, 6) => Kind::Message(Self::KeyValueList),
            (Self::Entity, 1..=4)
            | (Self::Scope, 1 | 2)
            | (Self::ResourceSpans(_) | Self::ScopeSpans(_) | Self::Link, 3)
            | (Self::Span, 3 | 5)
            | (Self::LogRecord, 3 | 12)
            | (Self::Event | Self::Status, 2)
            | (Self::KeyValue | Self::AnyValue, 1) => Kind::Text,
            (Self::Span, 1 | 2 | 4)
            | (Self::LogRecord, 9 | 10)
            | (Self::Link, 1 | 2)
            | (Self::AnyValue, 7) => Kind::Other(WireType::LengthDelimited),
            (Self::Span, 6 | 10 | 12 | 14)
            | (Self::LogRecord, 2 | 7)
            | (Self::Resource, 2)
            | (Self::Scope | Self::Event, 4)
            | (Self::Link, 5)
            | (Self::Status | Self::KeyValue, 3)
            | (Self::AnyValue, 2 | 3 | 8) => Kind::Other(WireType::Varint),
            (Self::Span, 7 | 8)
            | (Self::LogRecord, 1 | 11)
            | (Self::Event, 1)
            | (Self::AnyValue, 4) => Kind::Other(WireType::SixtyFourBit),
            (Self::Span, 16) | (Self::LogRecord, 8) | (Self::Link, 6) => {
                Kind::Other(WireType::ThirtyTwoBit)
            }
            _ => return None,
        })
    }
}

/// How many bytes of memory a message takes once it is decoded, itself included.
///
/// # Errors
///
/// When it does not decode as what it should be, or takes more than `limit` bytes.
pub(crate) fn decoded_size(
    bytes: &[u8],
    message: Message,
    limit: usize,
) -> Result<usize, ExportError> {
    let mut left = limit;
    measure(bytes, message, MAX_DEPTH, &mut left)?;
    take(&mut left, bytes.len())?;
    Ok(limit - left)
}

fn take(left: &mut usize, size: usize) -> Result<(), ExportError> {
    *left = left.checked_sub(size).ok_or(ExportError::TooLargeDecoded)?;
    Ok(())
}

fn measure(
    bytes: &[u8],
    message: Message,
    depth: usize,
    left: &mut usize,
) -> Result<(), ExportError> {
    take(left, message.size())?;
    let too_deep = || ExportError::malformed("values nested too deep");
    let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
    for field in fields(bytes) {
        let field = field?;
        let Some(kind) = message.field(field.number) else { continue };
        let expected = match kind {
            Kind::Other(wire_type) => wire_type,
            Kind::Message(_) | Kind::Text => WireType::LengthDelimited,
        };
        if field.wire_type != expected {
            return Err(ExportError::malformed(format!("field {} of another type", field.number)));
        }
        match kind {
            Kind::Message(child) => measure(field.bytes, child, depth, left)?,
            Kind::Text if std::str::from_utf8(field.bytes).is_err() => {
                return Err(ExportError::malformed("text that is not UTF-8"));
            }
            Kind::Text | Kind::Other(_) => {}
        }
    }
    Ok(())
}
