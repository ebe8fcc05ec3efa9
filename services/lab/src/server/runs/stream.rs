//! What a run tells, as Server-Sent Events: first what it has told, then the rest.

use std::convert::Infallible;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, KeepAliveStream, Sse};
use campuscafe_service::Lifecycle;
use futures_util::stream::{Stream, unfold};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::run::{Progress, Run};

/// Where a client that lost its stream says which event it has.
const LAST_EVENT_ID: &str = "last-event-id";

/// The event that there is more to see of the order under way: the page of the run shows it.
const PICTURE: &str = "picture";

/// A stream of one client, and how much of the run it has.
struct Reader {
    run: Arc<Run>,
    /// The events that were sent. The id of each is its number, from 1.
    sent: usize,
    /// The pictures that were told of.
    pictures: u64,
    news: watch::Receiver<Progress>,
    lifecycle: Lifecycle,
    /// Its place among the streams.
    _permit: OwnedSemaphorePermit,
}

/// How many events a client has; one that names no number of an event has none.
pub(super) fn already_sent(headers: &HeaderMap) -> usize {
    let id = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    id.and_then(|id| id.parse().ok()).unwrap_or_default()
}

/// The events of a run after the first `sent`. It ends with the run or the lab.
pub(super) fn stream(
    run: Arc<Run>,
    sent: usize,
    lifecycle: Lifecycle,
    permit: OwnedSemaphorePermit,
) -> Sse<KeepAliveStream<impl Stream<Item = Result<Event, Infallible>>>> {
    let news = run.subscribe();
    let reader = Reader { run, sent, pictures: 0, news, lifecycle, _permit: permit };
    let events = unfold(reader, async |mut reader| {
        let event = reader.next().await?;
        Some((Ok(event), reader))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

impl Reader {
    async fn next(&mut self) -> Option<Event> {
        loop {
            // Before the look: what is told between the two wakes us.
            self.news.mark_unchanged();
            // Before the event, so that a run that has just ended has told all.
            let is_running = self.run.is_running();
            if let Some((name, data)) = self.run.event(self.sent) {
                self.sent += 1;
                return Some(Event::default().id(self.sent.to_string()).event(name).data(data));
            }
            if !is_running {
                return None;
            }
            let pictures = self.run.pictures();
            if pictures > self.pictures {
                self.pictures = pictures;
                // Without an id: it is no part of what is told again.
                return Some(Event::default().event(PICTURE).data("{}"));
            }
            tokio::select! {
                _ = self.news.changed() => {}
                () = self.lifecycle.draining() => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_begins_after_the_event_that_its_client_has() {
        for (id, expected) in
            [(None, 0), (Some("3"), 3), (Some(""), 0), (Some("-1"), 0), (Some("x"), 0)]
        {
            let headers = id.map(|id| (LAST_EVENT_ID.parse().unwrap(), id.parse().unwrap()));
            assert_eq!(already_sent(&headers.into_iter().collect()), expected, "{id:?}");
        }
    }
}
