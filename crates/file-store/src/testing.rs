//! A disk in memory that remembers every write and sync, so that a test can cut its power at
//! any point; and that fails on request.

use std::io::{Error, ErrorKind, Result};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redb::StorageBackend;

/// What was done to a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Bytes were written at this offset.
    Write(u64, Vec<u8>),
    /// It was cut or filled with zeros to this length.
    Length(u64),
    /// Everything before this is durable.
    Sync,
}

/// How a disk fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Writes fail: there is no space.
    Full,
    /// What is written is not synced.
    NoSync,
    /// Nothing works.
    Dead,
}

/// A disk in memory. A clone is the same disk.
#[derive(Debug, Clone, Default)]
pub struct Disk(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// What was on it in the beginning.
    first: Vec<u8>,
    bytes: Vec<u8>,
    done: Vec<Operation>,
    fault: Option<Fault>,
    /// After how many more writes and syncs the fault shows.
    fault_after: usize,
    /// Whether it has failed.
    failed: bool,
    /// Whether a sync waits, and whether one is waiting now.
    paused: bool,
    syncing: bool,
}

/// How long a test waits for a sync before it gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// An access to a disk, as a store opens it.
#[derive(Debug)]
pub struct DiskBackend(Disk);

impl Disk {
    /// What a store opens.
    #[must_use]
    pub fn backend(&self) -> DiskBackend {
        DiskBackend(self.clone())
    }

    /// How much was done to it.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.state().done.len()
    }

    /// What was done to it, from the beginning.
    #[must_use]
    pub fn done(&self) -> Vec<Operation> {
        self.state().done.clone()
    }

    /// Lets it fail after so many more writes and syncs.
    pub fn fail(&self, fault: Fault, after: usize) {
        let mut state = self.state();
        (state.fault, state.fault_after) = (Some(fault), after);
    }

    /// It works again. Tells whether anything has failed.
    pub fn heal(&self) -> bool {
        let mut state = self.state();
        state.fault = None;
        std::mem::take(&mut state.failed)
    }

    /// The next sync waits for [`Disk::go_on`].
    pub fn pause(&self) {
        self.state().paused = true;
    }

    /// Waits until a sync waits; `false` if none came within 30 s.
    #[must_use]
    pub fn is_syncing(&self) -> bool {
        let waits = |state: &mut State| !state.syncing;
        let waited = self.0.changed.wait_timeout_while(self.state(), PATIENCE, waits);
        waited.unwrap_or_else(PoisonError::into_inner).0.syncing
    }

    /// Ends what [`Disk::pause`] began.
    pub fn go_on(&self) {
        self.state().paused = false;
        self.0.changed.notify_all();
    }

    /// Another disk, with what is left of this one if its power is cut after so many
    /// operations: all that was synced until then, and of the operations after the last sync
    /// those that `kept` keeps, given their number among these.
    #[must_use]
    pub fn cut_at(&self, operations: usize, mut kept: impl FnMut(usize) -> bool) -> Self {
        let state = self.state();
        let done = &state.done[..operations.min(state.done.len())];
        let last_sync = done.iter().rposition(|operation| *operation == Operation::Sync);
        let (synced, rest) = done.split_at(last_sync.map_or(0, |index| index + 1));
        let mut bytes = state.first.clone();
        for operation in synced {
            operation.apply(&mut bytes);
        }
        for (_, operation) in rest.iter().enumerate().filter(|(number, _)| kept(*number)) {
            operation.apply(&mut bytes);
        }
        let state = Mutex::new(State { first: bytes.clone(), bytes, ..State::default() });
        Self(Arc::new(Shared { state, changed: Condvar::new() }))
    }

    /// Changes one byte behind the back of whoever uses the disk.
    pub fn damage(&self, offset: usize, change: u8) {
        if let Some(byte) = self.state().bytes.get_mut(offset) {
            *byte ^= change;
        }
    }

    /// How many bytes it has.
    #[must_use]
    pub fn size(&self) -> usize {
        self.state().bytes.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Operation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, data) => {
                let start = usize::try_from(*offset).unwrap_or(usize::MAX);
                let end = start.saturating_add(data.len());
                // A write is kept, and the change of the length before it may be lost.
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[start..end].copy_from_slice(data);
            }
            Self::Length(length) => {
                bytes.resize(usize::try_from(*length).unwrap_or(usize::MAX), 0);
            }
            Self::Sync => {}
        }
    }
}

impl State {
    fn perform(&mut self, operation: Operation) -> Result<()> {
        self.may(operation == Operation::Sync)?;
        operation.apply(&mut self.bytes);
        self.done.push(operation);
        Ok(())
    }

    fn may(&mut self, sync: bool) -> Result<()> {
        let Some(fault) = self.fault else { return Ok(()) };
        if self.fault_after > 0 {
            self.fault_after -= 1;
            return Ok(());
        }
        let error = match fault {
            Fault::Full if !sync => Error::from(ErrorKind::StorageFull),
            Fault::NoSync if sync => Error::other("the sync failed"),
            Fault::Dead => Error::other("the disk is dead"),
            Fault::Full | Fault::NoSync => return Ok(()),
        };
        self.failed = true;
        Err(error)
    }
}

impl StorageBackend for DiskBackend {
    fn len(&self) -> Result<u64> {
        Ok(self.0.state().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let state = self.0.state();
        if state.fault == Some(Fault::Dead) && state.fault_after == 0 {
            return Err(Error::other("the disk is dead"));
        }
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let found = state.bytes.get(start..start.saturating_add(out.len()));
        out.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.0.state().perform(Operation::Length(len))
    }

    fn sync_data(&self) -> Result<()> {
        let disk = &self.0;
        let mut state = disk.state();
        if state.paused {
            state.syncing = true;
            disk.0.changed.notify_all();
            let waited = disk.0.changed.wait_while(state, |state| state.paused);
            state = waited.unwrap_or_else(PoisonError::into_inner);
            state.syncing = false;
        }
        state.perform(Operation::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        self.0.state().perform(Operation::Write(offset, data.to_vec()))
    }
}
