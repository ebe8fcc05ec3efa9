//! A trace as JSON, a page at a time: who reads slowly keeps one page waiting,
//! not the whole text.

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;

use super::write::{Otlp, append};
use crate::traces::packed::{Origin, Packed, Source};
use crate::traces::snapshot::{OfOrigin, OfSource, Snapshot};

/// A page is complete when it has this many bytes. It has more by one span at most.
const PAGE: usize = 64 * 1024;

/// What stands in the text, in its order.
enum Piece {
    Text(&'static str),
    /// An object's head, up to the list of its scopes.
    Source(Arc<Source>),
    /// An object's head, up to the list of its spans.
    Origin(Arc<Origin>),
    Span(Packed),
}

/// The trace as OTLP's JSON.
pub(in crate::traces) fn pages(snapshot: Snapshot) -> impl Iterator<Item = Vec<u8>> {
    let mut pieces = pieces(snapshot).into_iter();
    std::iter::from_fn(move || {
        let mut page = Vec::new();
        while page.len() < PAGE
            && let Some(piece) = pieces.next()
        {
            // Writing to memory never fails, nor does what was checked.
            let _ = piece.write(&mut page);
        }
        (!page.is_empty()).then_some(page)
    })
}

fn pieces(snapshot: Snapshot) -> Vec<Piece> {
    let mut pieces = vec![Piece::Text("{\"resourceSpans\":[")];
    for (index, OfSource { source, scopes }) in snapshot.grouped().into_iter().enumerate() {
        comma(&mut pieces, index);
        pieces.push(Piece::Source(source));
        for (index, OfOrigin { origin, spans }) in scopes.into_iter().enumerate() {
            comma(&mut pieces, index);
            pieces.push(Piece::Origin(origin));
            for (index, span) in spans.into_iter().enumerate() {
                comma(&mut pieces, index);
                pieces.push(Piece::Span(span));
            }
            pieces.push(Piece::Text("]}"));
        }
        pieces.push(Piece::Text("]}"));
    }
    pieces.push(Piece::Text("]}"));
    pieces
}

fn comma(pieces: &mut Vec<Piece>, index: usize) {
    if index > 0 {
        pieces.push(Piece::Text(","));
    }
}

impl Piece {
    fn write(self, page: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        match self {
            Self::Text(text) => page.extend_from_slice(text.as_bytes()),
            Self::Source(source) => {
                page.push(b'{');
                if let Some(resource) = source.resource.as_ref().and_then(Packed::decode) {
                    field(page, "resource", &Otlp::<Resource>(&resource))?;
                }
                if !source.schema_url.is_empty() {
                    field(page, "schemaUrl", &source.schema_url)?;
                }
                page.extend_from_slice(b"\"scopeSpans\":[");
            }
            Self::Origin(origin) => {
                page.push(b'{');
                if let Some(scope) = origin.scope.as_ref().and_then(Packed::decode) {
                    field(page, "scope", &Otlp::<InstrumentationScope>(&scope))?;
                }
                if !origin.schema_url.is_empty() {
                    field(page, "schemaUrl", &origin.schema_url)?;
                }
                page.extend_from_slice(b"\"spans\":[");
            }
            Self::Span(packed) => {
                let span: Span = packed.decode().unwrap_or_default();
                append(page, &Otlp(&span))?;
            }
        }
        Ok(())
    }
}

/// A field, and the comma after it.
fn field(
    page: &mut Vec<u8>,
    name: &str,
    value: &impl serde::Serialize,
) -> Result<(), serde_json::Error> {
    append(page, &name)?;
    page.push(b':');
    append(page, value)?;
    page.push(b',');
    Ok(())
}
