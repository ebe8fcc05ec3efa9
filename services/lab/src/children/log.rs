//! What a service writes to its stderr: passed on to ours, and its last lines
//! kept for the case that it ends by itself.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::stderr;

/// Lines that are kept.
const KEPT: usize = 5;

/// The longest part of a line that is passed on in one piece, in bytes.
const PIECE: u64 = 8 * 1024;

/// The longest part of a line that is kept, in characters.
const KEPT_LENGTH: usize = 500;

/// How long to wait for the rest of what an ended service wrote.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// The log of one service.
#[derive(Debug)]
pub(super) struct Log {
    last: Arc<Mutex<VecDeque<String>>>,
    reading: JoinHandle<()>,
}

impl Log {
    /// Reads until the service ends, however slowly our own stderr is read: a
    /// service whose log nobody takes would have to wait for it.
    pub(super) fn read(pipe: impl AsyncRead + Send + Unpin + 'static) -> Self {
        let last = Arc::default();
        let reading = tokio::spawn(pass_on(pipe, Arc::clone(&last)));
        Self { last, reading }
    }

    /// Waits until everything that the service wrote is read and passed on.
    pub(super) async fn end(&mut self) {
        if !self.reading.is_finished() {
            let _ = timeout(END_TIMEOUT, &mut self.reading).await;
        }
        stderr::flush().await;
    }

    /// The newest lines, oldest first.
    pub(super) fn last_lines(&self) -> Vec<String> {
        lock(&self.last).iter().cloned().collect()
    }
}

async fn pass_on(pipe: impl AsyncRead + Unpin, last: Arc<Mutex<VecDeque<String>>>) {
    let mut pipe = BufReader::new(pipe);
    loop {
        let mut line = Vec::new();
        let read = (&mut pipe).take(PIECE).read_until(b'\n', &mut line).await;
        if !matches!(read, Ok(1..)) {
            return;
        }
        keep(&mut lock(&last), &line);
        stderr::write(line);
    }
}

fn keep(last: &mut VecDeque<String>, line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    if last.len() >= KEPT {
        last.pop_front();
    }
    last.push_back(text.trim_end().chars().take(KEPT_LENGTH).collect());
}

fn lock(last: &Mutex<VecDeque<String>>) -> MutexGuard<'_, VecDeque<String>> {
    last.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_lines_are_kept_and_a_line_without_end_takes_no_more_than_its_share() {
        let text: String = (1..=9).map(|n| format!("line {n}\n")).collect();
        let endless = [text.as_bytes(), &[b'x'; 20_000]].concat();
        let last = Arc::default();
        pass_on(&endless[..], Arc::clone(&last)).await;
        let kept: Vec<_> = lock(&last).iter().cloned().collect();
        assert_eq!(kept.len(), KEPT);
        assert_eq!(kept[..2], ["line 8", "line 9"]);
        assert!(kept[2..].iter().all(|line| line.len() == KEPT_LENGTH), "{kept:?}");
    }
}
