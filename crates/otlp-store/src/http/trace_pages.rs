//! A trace, or its log records, as JSON, a page at a time: for a slow reader one page waits in memory,
//! not the whole text.

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde::Serialize;

use crate::encoded::{EncodedMessage, Head, ResourceKey, ScopeKey};
use crate::json::{Otlp, append};
use crate::signal::Signal;
use crate::store::{ResourceGroup, ScopeGroup, Snapshot};

/// A page is complete when it has this many bytes. It has more by one item at most.
const PAGE: usize = 64 * 1024;

/// What stands in the text, in its order.
enum Piece {
    Text(&'static str),
    /// The name of a list, and its beginning.
    List(&'static str),
    /// An object's head, up to the list of its scopes.
    Resource(Arc<ResourceKey>),
    /// An object's head, up to the list of its items.
    Scope(Arc<ScopeKey>),
    Item(Signal, EncodedMessage),
}

/// The snapshot as OTLP's JSON.
pub(super) fn trace_pages(of: Signal, snapshot: Snapshot) -> impl Iterator<Item = Vec<u8>> {
    let mut pieces = pieces(of, snapshot).into_iter();
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

fn pieces(of: Signal, snapshot: Snapshot) -> Vec<Piece> {
    let [resources_name, scopes_name, items_name] = of.lists();
    let mut pieces = vec![Piece::Text("{"), Piece::List(resources_name)];
    for (index, ResourceGroup { resource, scopes }) in snapshot.grouped().into_iter().enumerate() {
        comma(&mut pieces, index);
        pieces.extend([Piece::Resource(resource), Piece::List(scopes_name)]);
        for (index, ScopeGroup { scope, items }) in scopes.into_iter().enumerate() {
            comma(&mut pieces, index);
            pieces.extend([Piece::Scope(scope), Piece::List(items_name)]);
            for (index, item) in items.into_iter().enumerate() {
                comma(&mut pieces, index);
                pieces.push(Piece::Item(of, item));
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
            Self::List(name) => {
                append(page, &name)?;
                page.extend_from_slice(b":[");
            }
            Self::Resource(resource) => head::<Resource>(page, "resource", &resource.head)?,
            Self::Scope(scope) => head::<InstrumentationScope>(page, "scope", &scope.head)?,
            Self::Item(Signal::Spans, message) => item::<Span>(page, &message)?,
            Self::Item(Signal::Logs, message) => item::<LogRecord>(page, &message)?,
        }
        Ok(())
    }
}

fn item<M: Message + Default>(
    page: &mut Vec<u8>,
    message: &EncodedMessage,
) -> Result<(), serde_json::Error>
where
    for<'a> Otlp<'a, M>: Serialize,
{
    append(page, &Otlp(&message.decode::<M>().unwrap_or_default()))
}

/// The beginning of an object: what it says of all that is in its list.
fn head<M: Message + Default>(
    page: &mut Vec<u8>,
    name: &str,
    head: &Head,
) -> Result<(), serde_json::Error>
where
    for<'a> Otlp<'a, M>: Serialize,
{
    page.push(b'{');
    if let Some(message) = head.message.as_ref().and_then(EncodedMessage::decode::<M>) {
        field(page, name, &Otlp(&message))?;
    }
    if !head.schema_url.is_empty() {
        field(page, "schemaUrl", &head.schema_url)?;
    }
    Ok(())
}

/// A field, and the comma after it.
fn field(page: &mut Vec<u8>, name: &str, value: &impl Serialize) -> Result<(), serde_json::Error> {
    append(page, &name)?;
    page.push(b':');
    append(page, value)?;
    page.push(b',');
    Ok(())
}
