//! The rows that wait for the writer.

use std::sync::Arc;

use crate::ticket::{Answer, Ticket};
use crate::{Row, WriteError};

/// So many rows may wait before the store is busy. At 100 bytes a row that is 6 MiB.
const BUSY: usize = 1 << 16;

/// So many may wait at most: room for one change that removes everything, after the store was
/// found not busy.
const MOST: usize = 1 << 20;

/// Rows, and who waits for them.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) rows: Vec<Row>,
    pub(crate) answer: Answer,
}

/// What is queued, and whether more is taken.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: Vec<Pending>,
    rows: usize,
    /// Whether the writer is at work: then a barrier must wait although nothing is queued.
    committing: bool,
    failed: Option<Arc<str>>,
    closed: bool,
    /// There is no writer any more.
    stopped: bool,
}

impl Queue {
    /// Queues rows. The store has failed if there is no room for them, since their change
    /// is made in memory already; `true` says that it failed just now.
    pub(crate) fn push(&mut self, rows: Vec<Row>) -> (Ticket, bool) {
        if let Some(reason) = &self.failed {
            return (Ticket::known(Err(WriteError::NotWritten(reason.clone()))), false);
        }
        if self.rows.saturating_add(rows.len()) > MOST {
            let reason: Arc<str> = format!("more than {MOST} rows wait to be written").into();
            self.fail(&reason);
            return (Ticket::known(Err(WriteError::NotWritten(reason))), true);
        }
        if rows.is_empty() && self.waiting.is_empty() && !self.committing {
            return (Ticket::known(Ok(())), false);
        }
        self.rows += rows.len();
        let (answer, ticket) = Ticket::waiting();
        self.waiting.push(Pending { rows, answer });
        (ticket, false)
    }

    /// All that waits, for the writer to commit; `None` while nothing does.
    pub(crate) fn take(&mut self) -> Option<Vec<Pending>> {
        if self.waiting.is_empty() {
            return None;
        }
        self.committing = true;
        self.rows = 0;
        Some(std::mem::take(&mut self.waiting))
    }

    pub(crate) const fn committed(&mut self) {
        self.committing = false;
    }

    /// From now on every row is refused, those that wait included: they follow from values
    /// that are not in the file.
    pub(crate) fn fail(&mut self, reason: &Arc<str>) {
        self.committing = false;
        self.rows = 0;
        self.failed = Some(reason.clone());
        for pending in self.waiting.drain(..) {
            // Whoever does not wait any more needs no answer.
            let _ = pending.answer.send(Err(WriteError::NotWritten(reason.clone())));
        }
    }

    /// Without a writer it cannot.
    pub(crate) fn resume(&mut self) {
        if !self.stopped {
            self.failed = None;
        }
    }

    pub(crate) fn stop(&mut self, reason: &Arc<str>) {
        self.stopped = true;
        self.fail(reason);
    }

    pub(crate) const fn has_stopped(&self) -> bool {
        self.stopped
    }

    pub(crate) const fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    pub(crate) const fn is_busy(&self) -> bool {
        self.rows >= BUSY
    }

    pub(crate) const fn close(&mut self) {
        self.closed = true;
    }

    pub(crate) const fn is_closed(&self) -> bool {
        self.closed
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rows(count: usize) -> Vec<Row> {
        vec![Row { table: "t", key: Vec::new(), value: None }; count]
    }

    #[test]
    fn a_barrier_is_free_only_when_nothing_waits_and_nothing_is_being_committed() {
        let mut queue = Queue::default();
        assert!(queue.push(rows(0)).0.is_known());
        let (ticket, _) = queue.push(rows(1));
        assert!(!ticket.is_known());
        assert!(!queue.push(rows(0)).0.is_known(), "a row waits");
        assert_eq!(queue.take().unwrap().len(), 2);
        assert!(!queue.push(rows(0)).0.is_known(), "the writer is at work");
        queue.take();
        queue.committed();
        assert!(queue.push(rows(0)).0.is_known());
    }

    #[tokio::test]
    async fn without_room_the_store_has_failed_and_so_has_everything_that_waits() {
        let mut queue = Queue::default();
        let (waits, _) = queue.push(rows(BUSY - 1));
        assert!(!queue.is_busy());
        let (more, failed) = queue.push(rows(MOST - BUSY + 1));
        assert_eq!((queue.is_busy(), failed), (true, false));
        let (_, failed) = queue.push(rows(1));
        assert!(failed && queue.has_failed());
        for ticket in [waits, more, queue.push(rows(0)).0] {
            assert!(matches!(ticket.durable().await, Err(WriteError::NotWritten(_))));
        }
        assert!(queue.take().is_none());
        queue.resume();
        assert!(!queue.push(rows(1)).0.is_known() && !queue.is_busy());
    }
}
