//! The store: a queue, a file, and the thread between them.

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use redb::StorageBackend;
use tokio::sync::watch;

use crate::database::{CommitFailure, OpenFile};
use crate::error::{OpenError, WriteError};
use crate::queue::{Pending, Queue};
use crate::{Row, Ticket};

/// A file of keys and values. A clone is the same store; when the last one is dropped, what is
/// queued is written and the file is closed, which takes as long as a commit.
#[derive(Debug, Clone)]
pub struct FileStore(Arc<Handle>);

/// Ends the writer with the last clone.
#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    /// Something is queued, or the store is closed.
    queued: Condvar,
    file: Mutex<OpenFile>,
    takes_rows: watch::Sender<bool>,
}

/// A file that was opened again and read after a failure. Nothing is written to it until
/// [`Recovery::resume`], so what it tells stays true until then.
#[derive(Debug)]
#[must_use = "the store refuses rows until it resumes"]
pub struct Recovery {
    shared: Arc<Shared>,
}

impl FileStore {
    /// Opens the file `NAME.redb` of a directory; makes both if they are not there. After a
    /// crash it holds exactly the rows whose tickets had resolved, and perhaps some that were
    /// queued after them, in their order. It blocks: use it where a thread may wait.
    ///
    /// `format` is the number of the format of the owner's rows.
    ///
    /// # Errors
    ///
    /// When the file cannot be used; see [`OpenError`].
    pub fn open(directory: &Path, name: &str, format: u32) -> Result<Self, OpenError> {
        Self::start(OpenFile::open(directory, name, format)?)
    }

    /// The same in any storage. `backend` is asked for it at the start, and after each failure.
    ///
    /// # Errors
    ///
    /// As [`FileStore::open`].
    pub fn with_backend<B: StorageBackend>(
        backend: impl Fn() -> io::Result<B> + Send + Sync + 'static,
        name: &str,
        format: u32,
    ) -> Result<Self, OpenError> {
        Self::start(OpenFile::with_backend(backend, name, format)?)
    }

    fn start(file: OpenFile) -> Result<Self, OpenError> {
        let (takes_rows, _) = watch::channel(true);
        let name = file.name().to_owned();
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            queued: Condvar::new(),
            file: Mutex::new(file),
            takes_rows,
        });
        let of_writer = shared.clone();
        let writer = std::thread::Builder::new()
            .name("file-store".to_owned())
            .spawn(move || of_writer.write_until_closed())
            .map_err(|error| OpenError::from_io(&name, &error))?;
        Ok(Self(Arc::new(Handle { shared, writer: Some(writer) })))
    }

    pub(crate) fn file(&self) -> MutexGuard<'_, OpenFile> {
        self.0.shared.file()
    }

    /// Queues rows, in the order of the calls. Call it under the lock of the values that they
    /// come from; it never waits. No rows are a barrier: its ticket resolves when all before it
    /// are durable, which is at once if nothing is queued.
    ///
    /// It refuses everything after a failure. More rows than fit into the queue (1,048,576) are
    /// a failure too: ask [`FileStore::is_busy`] before a change.
    pub fn write(&self, rows: Vec<Row>) -> Ticket {
        let shared = &self.0.shared;
        let (ticket, failed) = shared.queue().push(rows);
        if failed {
            shared.takes_rows.send_replace(false);
        } else if !ticket.is_known() {
            shared.queued.notify_one();
        }
        ticket
    }

    /// Whether so many rows wait (65,536) that no change should be made now. Nothing has
    /// failed.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.0.shared.queue().is_busy()
    }

    /// Whether it takes rows: a commit that fails makes it refuse them all.
    #[must_use]
    pub fn takes_rows(&self) -> bool {
        *self.0.shared.takes_rows.borrow()
    }

    /// Resolves when the store has failed; at once if it has.
    pub async fn failed(&self) {
        let mut takes_rows = self.0.shared.takes_rows.subscribe();
        // The sender lives as long as this store.
        let _ = takes_rows.wait_for(|takes| !takes).await;
    }

    /// Opens the file again after a failure, and checks that there is room in it. Read
    /// the rows from what it returns, replace the values by them, and then resume. It blocks.
    ///
    /// It does nothing to a store that has not failed.
    ///
    /// # Errors
    ///
    /// When the file still cannot be used. The store goes on refusing rows.
    pub fn recover(&self) -> Result<Recovery, OpenError> {
        let shared = &self.0.shared;
        // Before the queue is looked at: the writer holds this lock until it has noted its
        // failure.
        let mut file = shared.file();
        let (failed, stopped) = {
            let queue = shared.queue();
            (queue.has_failed(), queue.has_stopped())
        };
        if stopped {
            let reason = "the writer has stopped; start the program again".to_owned();
            return Err(OpenError::Other { file: file.name().to_owned(), reason });
        }
        if failed {
            file.open_again()?;
            file.has_room()?;
        }
        Ok(Recovery { shared: shared.clone() })
    }
}

impl Recovery {
    pub(crate) fn file(&self) -> MutexGuard<'_, OpenFile> {
        self.shared.file()
    }

    /// Takes rows again. Call it under the lock under which the values were replaced by the
    /// rows of the file, or a row of an old value could be written after them.
    pub fn resume(self) {
        self.shared.queue().resume();
        self.shared.takes_rows.send_replace(true);
    }
}

impl Shared {
    fn write_until_closed(&self) {
        let _stopped = NoteStop(self);
        while let Some(batch) = self.next_batch() {
            self.commit(batch);
        }
    }

    fn next_batch(&self) -> Option<Vec<Pending>> {
        let mut queue = self.queue();
        loop {
            if let Some(batch) = queue.take() {
                return Some(batch);
            }
            if queue.is_closed() {
                return None;
            }
            queue = self.queued.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn commit(&self, batch: Vec<Pending>) {
        let mut file = self.file();
        let rows = || batch.iter().flat_map(|pending| &pending.rows);
        let written = if rows().next().is_some() { file.write(rows()) } else { Ok(()) };
        let result = match written {
            Ok(()) => {
                self.queue().committed();
                Ok(())
            }
            Err(CommitFailure::NotWritten(reason)) => {
                Err(WriteError::NotWritten(self.fail(reason)))
            }
            Err(CommitFailure::Unknown(reason)) => Err(WriteError::Unknown(self.fail(reason))),
        };
        drop(file);
        for pending in batch {
            // Whoever does not wait any more needs no answer.
            let _ = pending.answer.send(result.clone());
        }
    }

    fn fail(&self, reason: String) -> Arc<str> {
        let reason: Arc<str> = reason.into();
        self.queue().fail(&reason);
        self.takes_rows.send_replace(false);
        reason
    }

    /// Its holders leave whole values behind, so poison is no danger.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As above: a transaction that was not committed leaves nothing behind.
    fn file(&self) -> MutexGuard<'_, OpenFile> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// If the writer panics, nobody may wait for it.
struct NoteStop<'a>(&'a Shared);

impl Drop for NoteStop<'_> {
    fn drop(&mut self) {
        self.0.queue().stop(&"the writer has stopped".into());
        self.0.takes_rows.send_replace(false);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.queue().close();
        self.shared.queued.notify_one();
        if let Some(writer) = self.writer.take() {
            // It says itself when it panics.
            let _ = writer.join();
        }
    }
}
