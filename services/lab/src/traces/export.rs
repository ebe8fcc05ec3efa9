//! An export, checked before anything is made of it.

use super::buffer::Buffer;
use super::elements::{Message, check, take_one};
use super::otlp::Failure;
use super::packed::{Exported, spans};
use super::wire::{Fields, Value, another_type, text};

/// An `ExportTraceServiceRequest` in protobuf, checked down to the last
/// attribute: a broken one is refused while its sender still listens.
#[derive(Debug)]
pub(super) struct Export {
    body: Buffer,
    /// How many messages each span has, in the order of the spans.
    elements: Vec<u32>,
    /// Spans that were left out because they are too large.
    pub(super) too_large: usize,
}

impl Export {
    /// Checks a body.
    ///
    /// # Errors
    ///
    /// When it is no export, or holds more than `limit` messages.
    pub(super) fn checked(body: Buffer, limit: usize) -> Result<Self, Failure> {
        let (mut left, mut elements) = (limit, Vec::new());
        for field in Fields::of(&body) {
            match field? {
                (1, Value::Length(spans)) => resource_spans(spans, &mut left, &mut elements)?,
                (1, _) => return Err(another_type(1)),
                _ => {}
            }
        }
        Ok(Self { body, elements, too_large: 0 })
    }

    /// The spans, each packed as it is asked for.
    pub(super) fn spans(&self) -> impl Iterator<Item = Exported> + '_ {
        spans(&self.body, &self.elements)
    }
}

fn resource_spans(body: &[u8], left: &mut usize, elements: &mut Vec<u32>) -> Result<(), Failure> {
    take_one(left)?;
    for field in Fields::of(body) {
        match field? {
            (1, Value::Length(resource)) => check(resource, Message::Resource, left)?,
            (2, Value::Length(spans)) => scope_spans(spans, left, elements)?,
            (3, Value::Length(url)) => {
                text(url)?;
            }
            (field @ 1..=3, _) => return Err(another_type(field)),
            _ => {}
        }
    }
    Ok(())
}

fn scope_spans(body: &[u8], left: &mut usize, elements: &mut Vec<u32>) -> Result<(), Failure> {
    take_one(left)?;
    for field in Fields::of(body) {
        match field? {
            (1, Value::Length(scope)) => check(scope, Message::Scope, left)?,
            (2, Value::Length(span)) => {
                let before = *left;
                check(span, Message::Span, left)?;
                elements.push(u32::try_from(before - *left).unwrap_or(u32::MAX));
            }
            (3, Value::Length(url)) => {
                text(url)?;
            }
            (field @ 1..=3, _) => return Err(another_type(field)),
            _ => {}
        }
    }
    Ok(())
}
