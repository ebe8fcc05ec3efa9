//! A request's body, in pieces that cost no more memory than they are large.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};

/// The smallest piece that is handed on as it came, in bytes.
const MIN_CHUNK: usize = 4 * 1024;

/// Joins small pieces of a body.
///
/// The server reads into buffers of 8 KiB and more, and a piece keeps the whole
/// buffer that it came in. A client that sends a body byte by byte would make
/// its reader keep a buffer for each: 100 MB for a body of 16 KiB. So a handler
/// gets pieces of at least 4 KiB, and what is left at the end. No handler here
/// answers to the parts of a body before it has all of it.
pub(crate) struct CoalescedBody<B> {
    body: B,
    pending: BytesMut,
}

impl<B> CoalescedBody<B> {
    pub(crate) fn new(body: B) -> Self {
        Self { body, pending: BytesMut::new() }
    }

    fn take(&mut self) -> Frame<Bytes> {
        Frame::data(std::mem::take(&mut self.pending).freeze())
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for CoalescedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        loop {
            let frame = match std::task::ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None if self.pending.is_empty() => return Poll::Ready(None),
                None => return Poll::Ready(Some(Ok(self.take()))),
            };
            // Nobody here asks for trailers.
            let Ok(data) = frame.into_data() else { continue };
            if self.pending.is_empty() && data.len() >= MIN_CHUNK {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
            self.pending.extend_from_slice(&data);
            if self.pending.len() >= MIN_CHUNK {
                return Poll::Ready(Some(Ok(self.take())));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pending.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, pending) = (self.body.size_hint(), self.pending.len() as u64);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(pending));
        }
        hint.set_lower(hint.lower().saturating_add(pending));
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;

    use http_body_util::BodyExt as _;

    use super::*;

    struct Pieces(VecDeque<Bytes>);

    impl Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::with_exact(self.0.iter().map(|piece| piece.len() as u64).sum())
        }
    }

    /// The sizes of the pieces that come of pieces of these sizes.
    async fn joined(sizes: &[usize]) -> Vec<usize> {
        let pieces = sizes.iter().map(|size| Bytes::from(vec![b'x'; *size])).collect();
        let mut body = CoalescedBody::new(Pieces(pieces));
        let mut left: usize = sizes.iter().sum();
        let mut found = Vec::new();
        while let Some(frame) = body.frame().await {
            found.push(frame.unwrap().into_data().unwrap().len());
            left -= found[found.len() - 1];
            assert_eq!(body.size_hint().exact(), Some(left as u64));
        }
        found
    }

    #[tokio::test]
    async fn small_pieces_are_joined_and_large_ones_pass_as_they_are() {
        assert!(joined(&[]).await.is_empty());
        assert_eq!(joined(&[1; 30]).await, [30]);
        assert_eq!(joined(&[1; MIN_CHUNK + 1]).await, [MIN_CHUNK, 1]);
        assert_eq!(joined(&[MIN_CHUNK, 3 * MIN_CHUNK]).await, [MIN_CHUNK, 3 * MIN_CHUNK]);
        assert_eq!(joined(&[5, MIN_CHUNK, 7]).await, [MIN_CHUNK + 5, 7]);
    }

    #[tokio::test]
    async fn a_joined_piece_does_not_keep_the_buffer_that_its_parts_came_in() {
        let buffer = Bytes::from(vec![b'x'; 64 * 1024]);
        let mut body = CoalescedBody::new(Pieces(VecDeque::from([buffer.slice(..1)])));
        let piece = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(piece, "x");
        drop(body);
        assert!(buffer.is_unique(), "the reader keeps 64 KiB for a byte");
    }
}
