//! Stderr for code that must not wait for its reader.
//!
//! A write to a full pipe waits until somebody reads the pipe. So text goes through a
//! bounded queue to a thread that writes it. If the queue is full, the text is lost,
//! and the number of lost pieces is written in its place.

use std::io::{self, Write};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

/// Pieces that may wait for the reader; a piece is a line of at most some KB.
const QUEUE: usize = 512;

/// How long [`flush`] waits for the reader.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// How soon [`flush`] tries again while the queue is full.
const TRY_EVERY: Duration = Duration::from_millis(10);

static LOST: AtomicU64 = AtomicU64::new(0);

static WRITER: LazyLock<SyncSender<Piece>> = LazyLock::new(|| {
    let (queue, pieces) = sync_channel(QUEUE);
    // Without a thread nobody takes the pieces, and all of them are lost.
    let _ = std::thread::Builder::new().name("stderr".to_owned()).spawn(|| write_all(pieces));
    queue
});

enum Piece {
    Text(Vec<u8>),
    /// Everything before it has been written.
    Mark(oneshot::Sender<()>),
}

/// Writes soon, in one piece, or not at all; never waits.
pub(crate) fn write(text: impl Into<Vec<u8>>) {
    if WRITER.try_send(Piece::Text(text.into())).is_err() {
        LOST.fetch_add(1, Ordering::Relaxed);
    }
}

/// Waits until everything so far is written, for at most [`FLUSH_TIMEOUT`].
pub(crate) async fn flush() {
    let (mark, written) = oneshot::channel();
    let flushed = async {
        let mut piece = Piece::Mark(mark);
        while let Err(TrySendError::Full(back)) = WRITER.try_send(piece) {
            piece = back;
            sleep(TRY_EVERY).await;
        }
        let _ = written.await;
    };
    let _ = timeout(FLUSH_TIMEOUT, flushed).await;
}

fn write_all(pieces: Receiver<Piece>) {
    let mut to = own_handle();
    for piece in pieces {
        let lost = LOST.swap(0, Ordering::Relaxed);
        // There is nobody to tell that nothing can be told.
        if lost > 0 {
            let _ =
                writeln!(to, "{lost} lines were dropped here, because stderr was not read in time");
        }
        match piece {
            Piece::Text(text) => {
                let _ = to.write_all(&text);
            }
            Piece::Mark(written) => {
                let _ = written.send(());
            }
        }
    }
}

/// The standard library's handle has a lock, which a write that blocks would
/// keep from everybody else.
#[cfg(unix)]
fn own_handle() -> Box<dyn Write> {
    use std::os::fd::AsFd as _;
    match io::stderr().as_fd().try_clone_to_owned() {
        Ok(own) => Box::new(std::fs::File::from(own)),
        Err(_) => Box::new(io::stderr()),
    }
}

#[cfg(not(unix))]
fn own_handle() -> Box<dyn Write> {
    Box::new(io::stderr())
}
