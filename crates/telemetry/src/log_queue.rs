//! Log lines on their way to stderr.
//!
//! A pipe that nobody reads blocks its writer. So lines wait in a bounded queue, and
//! only one thread writes them. If the queue is full, a line is dropped and counted.
//! `tracing-appender` is similar, but it does not count the lines that it cannot write,
//! nor those that are left at the end.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

use crate::metrics::{Metric, Metrics};

/// Log lines that nobody will read.
pub(crate) const DROPPED: Metric = Metric {
    name: "telemetry_log_lines_dropped_total",
    help: "Log lines that were not written, because stderr was not read or could not be written.",
};

/// The most that waits, in bytes: some 3,000 lines.
const CAPACITY: usize = 1024 * 1024;

/// Written at a time. A pipe takes that much as a whole or not at all, so
/// lines of several processes do not mix.
const CHUNK: usize = 4096;

/// So long lines are gathered, once one has come: waking a thread for each
/// would cost more than writing it.
const GATHER: Duration = Duration::from_millis(5);

/// At most one line about dropped lines in this time.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// Takes lines and never blocks. Its clones share one queue.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogQueue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<u8>,
    /// Bytes that the thread has taken and not yet written.
    writing: usize,
    /// Lines in both.
    queued: u64,
    dropped: u64,
    /// Of those, how many the log itself has told, and when.
    told: (u64, Option<Instant>),
    /// The thread waits for the next line.
    idle: bool,
    /// Somebody waits for the queue to be empty.
    closing: bool,
    closed: bool,
    abandoned: bool,
}

impl LogQueue {
    pub(crate) fn to_stderr() -> Self {
        Self::new(stderr())
    }

    pub(crate) fn new(to: impl Write + Send + 'static) -> Self {
        let queue = Self::default();
        let shared = queue.0.clone();
        let thread = thread::Builder::new().name("log".to_owned());
        // Without a thread the queue fills up, and the count of dropped lines tells.
        let _ = thread.spawn(move || shared.write_all(to));
        queue
    }

    /// Queues a whole line, or counts it as dropped.
    pub(crate) fn push(&self, line: &[u8]) {
        let mut state = self.0.lock();
        if state.closed || state.lines.len() + state.writing + line.len() > CAPACITY {
            state.dropped += 1;
            return;
        }
        state.lines.extend_from_slice(line);
        state.queued += 1;
        let wake = std::mem::take(&mut state.idle);
        drop(state);
        if wake {
            self.0.changed.notify_all();
        }
    }

    /// Waits until everything is written, or for that long; what is left is
    /// dropped, and so is every line from now on.
    pub(crate) fn close(&self, limit: Duration) {
        let begun = Instant::now();
        if self.0.wait_until_empty(limit).queued == 0 {
            self.0.tell(Duration::ZERO);
        }
        self.0.lock().closed = true;
        let mut state = self.0.wait_until_empty(limit.saturating_sub(begun.elapsed()));
        state.abandoned = true;
        state.dropped += std::mem::take(&mut state.queued);
        state.lines = Vec::new();
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.0.lock().dropped
    }

    /// Shows the dropped lines in these metrics, from 0 on.
    pub(crate) fn show_in(&self, metrics: &Metrics) {
        let counter = metrics.counter(DROPPED, &[]);
        let queue = self.clone();
        metrics.before_render(move || counter.absolute(queue.dropped()));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_until_empty(&self, limit: Duration) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        state.closing = true;
        self.changed.notify_all();
        let waited = self.changed.wait_timeout_while(state, limit, |state| state.queued > 0);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Writes until the queue is closed and empty.
    fn write_all(&self, mut to: impl Write) {
        let mut lines = Vec::new();
        while self.take(&mut lines) {
            let mut rest = &lines[..];
            while !rest.is_empty() {
                let (chunk, after) = rest.split_at(whole_lines(rest));
                let result = to.write_all(chunk).and_then(|()| to.flush());
                if !self.written(chunk, result.is_ok()) {
                    return;
                }
                rest = after;
            }
            self.tell(TELL_EVERY);
        }
    }

    /// Waits for lines and swaps them for the emptied buffer; `false` when there
    /// will be no more.
    fn take(&self, lines: &mut Vec<u8>) -> bool {
        lines.clear();
        let mut state = self.lock();
        state.idle = true;
        let waits = |state: &mut State| state.lines.is_empty() && !state.closed;
        let waited = self.changed.wait_while(state, waits);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.idle = false;
        let waited = self.changed.wait_timeout_while(state, GATHER, |state| !state.closing);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        std::mem::swap(&mut state.lines, lines);
        state.writing = lines.len();
        !lines.is_empty()
    }

    /// `false` once the rest is written off.
    fn written(&self, chunk: &[u8], well: bool) -> bool {
        let lines = count_lines(chunk);
        let mut state = self.lock();
        if state.abandoned {
            return false;
        }
        state.writing -= chunk.len();
        state.queued = state.queued.saturating_sub(lines);
        if !well {
            state.dropped += lines;
        }
        if state.closing && state.queued == 0 {
            self.changed.notify_all();
        }
        true
    }

    /// Says in the log itself that lines are missing from it, unless it has
    /// said so within that time.
    fn tell(&self, every: Duration) {
        let mut state = self.lock();
        let (told, at) = state.told;
        let lost = state.dropped - told;
        let room = state.lines.len() + state.writing + CHUNK <= CAPACITY;
        if lost == 0 || !room || at.is_some_and(|at| at.elapsed() < every) {
            return;
        }
        state.told = (state.dropped, Some(Instant::now()));
        // The line is pushed into this queue.
        drop(state);
        tracing::warn!(lines = lost, "log lines were dropped");
    }
}

/// The length of the first lines that fit into a chunk, or of the first line.
fn whole_lines(bytes: &[u8]) -> usize {
    let start = &bytes[..bytes.len().min(CHUNK)];
    let end = start.iter().rposition(|byte| *byte == b'\n');
    let end = end.or_else(|| bytes.iter().position(|byte| *byte == b'\n'));
    end.map_or(bytes.len(), |end| end + 1)
}

fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// A handle of our own: the one of the standard library has a lock, which a
/// write that blocks would keep from everybody else.
#[cfg(unix)]
fn stderr() -> Box<dyn Write + Send> {
    use std::os::fd::AsFd as _;
    match io::stderr().as_fd().try_clone_to_owned() {
        Ok(own) => Box::new(std::fs::File::from(own)),
        Err(_) => Box::new(io::stderr()),
    }
}

#[cfg(not(unix))]
fn stderr() -> Box<dyn Write + Send> {
    Box::new(io::stderr())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    /// Hands on what is written, each write only when it is told how it ends.
    struct Slow {
        written: Sender<Vec<u8>>,
        results: Receiver<io::Result<()>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.written.send(bytes.to_vec());
            self.results.recv().unwrap_or(Ok(()))?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> (LogQueue, Receiver<Vec<u8>>, Sender<io::Result<()>>) {
        let (written, reader) = channel();
        let (allow, results) = channel();
        (LogQueue::new(Slow { written, results }), reader, allow)
    }

    #[test]
    fn lines_that_nobody_takes_are_dropped_and_counted_and_the_others_are_whole() {
        let (queue, reader, allow) = slow();
        let line = |n: u64| format!("{n:>99}\n").into_bytes();
        for n in 0..20_000 {
            queue.push(&line(n));
        }
        let kept = CAPACITY as u64 / 100;
        assert_eq!(queue.dropped(), 20_000 - kept);
        drop(allow);
        queue.close(LONG);
        assert_eq!(queue.dropped(), 20_000 - kept, "the queue is written to its end");
        let chunks: Vec<_> = reader.iter().collect();
        assert!(chunks.iter().all(|chunk| chunk.len() <= CHUNK && chunk.ends_with(b"\n")));
        assert_eq!(chunks.concat(), (0..kept).flat_map(line).collect::<Vec<_>>());
    }

    #[test]
    fn what_cannot_be_written_is_counted() {
        let (queue, reader, allow) = slow();
        queue.push(b"one\n");
        reader.recv_timeout(LONG).unwrap();
        queue.push(b"two\n");
        queue.push(b"three\n");
        for result in [Ok(()), Err(io::Error::other("disk full"))] {
            allow.send(result).unwrap();
        }
        queue.close(LONG);
        assert_eq!(queue.dropped(), 2, "a chunk of two lines");
    }

    #[test]
    fn what_is_left_at_the_end_is_counted_once() {
        let (queue, reader, allow) = slow();
        queue.push(b"one\n");
        reader.recv_timeout(LONG).unwrap();
        queue.push(b"two\n");
        queue.close(Duration::from_millis(1));
        assert_eq!(queue.dropped(), 2);
        queue.push(b"three\n");
        assert_eq!(queue.dropped(), 3);
        allow.send(Err(io::Error::other("gone"))).unwrap();
        assert!(reader.recv_timeout(LONG).is_err(), "the thread has ended");
        assert_eq!(queue.dropped(), 3);
    }

    #[test]
    fn a_line_longer_than_a_chunk_is_written_as_one() {
        let long = [vec![b'x'; 3 * CHUNK], b"\nshort\n".to_vec()].concat();
        assert_eq!(whole_lines(&long), 3 * CHUNK + 1);
        assert_eq!(whole_lines(b"short\nlong"), 6);
        assert_eq!(whole_lines(b"no end"), 6);
    }
}
