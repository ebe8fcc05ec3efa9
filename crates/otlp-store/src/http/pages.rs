//! Answers that are written a page at a time, as fast as they are read.

use std::convert::Infallible;
use std::iter;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Bytes, HttpBody};
use http_body::Frame;

use crate::budget::ReaderShare;
use crate::id::TraceId;
use crate::json::to_json;
use crate::store::TraceStore;

/// A body of pages, each made when the one before it is on its way.
pub(super) struct Pages<I> {
    pages: I,
    others: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// What the reader uses of the budget, until the whole answer is on its way.
    _share: ReaderShare,
}

impl<I> Pages<I> {
    pub(super) fn new(pages: I, share: ReaderShare) -> Self {
        Self { pages, others: None, _share: share }
    }
}

impl<I: Iterator<Item = Vec<u8>> + Unpin> HttpBody for Pages<I> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        // A page takes a few milliseconds of its thread, a whole answer up to a
        // second; probes come in between.
        let others = self.others.get_or_insert_with(|| Box::pin(tokio::task::yield_now()));
        ready!(others.as_mut().poll(context));
        self.others = None;
        Poll::Ready(self.pages.next().map(|page| Ok(Frame::data(page.into()))))
    }
}

/// How many traces a page lists.
const TRACES_PER_PAGE: usize = 64;

/// A list of traces as JSON.
pub(super) fn list(store: Arc<TraceStore>, ids: Vec<TraceId>) -> impl Iterator<Item = Vec<u8>> {
    let mut separator = &b""[..];
    let pages = (0..ids.len()).step_by(TRACES_PER_PAGE).map(move |begin| {
        let mut page = Vec::new();
        for summary in store.summaries(&ids[begin..ids.len().min(begin + TRACES_PER_PAGE)]) {
            page.extend_from_slice(separator);
            // Writing to memory never fails.
            page.extend(to_json(&summary).unwrap_or_default());
            separator = b",";
        }
        page
    });
    iter::once(b"{\"traces\":[".to_vec()).chain(pages).chain(iter::once(b"]}".to_vec()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::sync::atomic::{AtomicUsize, Ordering};

    use http_body_util::BodyExt as _;

    use super::*;
    use crate::budget::Budget;

    #[tokio::test]
    async fn others_come_in_between_two_pages() {
        let turns = Arc::new(AtomicUsize::new(0));
        let other = Arc::clone(&turns);
        tokio::spawn(async move {
            loop {
                other.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
        let share = Budget::default().reader(1).await.unwrap();
        let pages = (0..100).map(|page| vec![page; 10]);
        let body = Pages::new(pages, share).collect().await.unwrap().to_bytes();
        assert_eq!(body.len(), 1_000);
        assert!(turns.load(Ordering::Relaxed) >= 100, "{turns:?} turns of the other task");
    }
}
