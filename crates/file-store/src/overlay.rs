//! A storage that is read and never written: what a repair writes stays in memory. So a file
//! tells what is in it although its disk is full.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Result};
use std::ops::{Bound, Range};
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::{BackendError, StorageBackend};

/// Any storage, as one type.
#[derive(Debug)]
pub(crate) struct AnyBackend(pub(crate) Box<dyn StorageBackend>);

/// In bytes.
const BLOCK: u64 = 4096;

/// Reads from a storage, and writes to memory.
#[derive(Debug)]
pub(crate) struct Overlay {
    below: AnyBackend,
    above: Mutex<Above>,
}

#[derive(Debug)]
struct Above {
    length: u64,
    /// Up to here the storage below shows through. What was cut off does not come back.
    shown: u64,
    /// The blocks that were written, by their numbers.
    written: BTreeMap<u64, Vec<u8>>,
}

impl Overlay {
    pub(crate) fn new(below: AnyBackend) -> Result<Self> {
        let length = below.len()?;
        let above = Above { length, shown: length, written: BTreeMap::new() };
        Ok(Self { below, above: Mutex::new(above) })
    }

    /// Its holders leave whole blocks behind, so poison is no danger.
    fn above(&self) -> MutexGuard<'_, Above> {
        self.above.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn block(&self, above: &Above, number: u64) -> Result<Vec<u8>> {
        if let Some(written) = above.written.get(&number) {
            return Ok(written.clone());
        }
        let begin = number * BLOCK;
        let mut block = vec![0; BLOCK as usize];
        let shown = above.shown.saturating_sub(begin).min(BLOCK) as usize;
        if shown > 0 {
            self.below.read(begin, &mut block[..shown])?;
        }
        Ok(block)
    }
}

/// The parts of a range that lie in one block each: the number of the block, where the part
/// begins in the block, and which part of the range it is.
fn parts(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let begin = (at % BLOCK) as usize;
        let part = done..length.min(done + BLOCK as usize - begin);
        done = part.end;
        (!part.is_empty()).then_some((at / BLOCK, begin, part))
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> Result<u64> {
        Ok(self.above().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let above = self.above();
        if offset.saturating_add(out.len() as u64) > above.length {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        for (number, begin, part) in parts(offset, out.len()) {
            let block = self.block(&above, number)?;
            let length = part.len();
            out[part].copy_from_slice(&block[begin..begin + length]);
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let mut above = self.above();
        if len < above.length {
            above.shown = above.shown.min(len);
            above.written.split_off(&len.div_ceil(BLOCK));
            if let Some(last) = above.written.get_mut(&(len / BLOCK)) {
                last[(len % BLOCK) as usize..].fill(0);
            }
        }
        above.length = len;
        Ok(())
    }

    fn sync_data(&self) -> Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        let mut above = self.above();
        for (number, begin, part) in parts(offset, data.len()) {
            let mut block = self.block(&above, number)?;
            block[begin..begin + part.len()].copy_from_slice(&data[part]);
            above.written.insert(number, block);
        }
        above.length = above.length.max(offset.saturating_add(data.len() as u64));
        Ok(())
    }

    fn close(&self) -> Result<()> {
        self.below.close()
    }

    // The locks are those of the storage: nobody may write it meanwhile.

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<bool> {
        self.below.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<bool> {
        self.below.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<()> {
        self.below.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<()> {
        self.below.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<()> {
        self.below.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<bool> {
        self.below.query_lock_range(start, end)
    }
}

type Locked<T> = std::result::Result<T, BackendError>;

impl StorageBackend for AnyBackend {
    fn len(&self) -> Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        self.0.write(offset, data)
    }

    fn close(&self) -> Result<()> {
        self.0.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<bool> {
        self.0.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<bool> {
        self.0.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<()> {
        self.0.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<()> {
        self.0.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<()> {
        self.0.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<bool> {
        self.0.query_lock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use redb::backends::InMemoryBackend;

    use super::*;

    #[test]
    fn an_overlay_reads_as_a_storage_does_and_leaves_what_is_below_as_it_was() {
        let [below, model] = [(); 2].map(|()| InMemoryBackend::new());
        let first: Vec<u8> = (0..10_000).map(|n| (n % 251) as u8).collect();
        for storage in [&below, &model] {
            storage.set_len(10_000).unwrap();
            storage.write(0, &first).unwrap();
        }
        let overlay = Overlay::new(AnyBackend(Box::new(below))).unwrap();
        let both: [&dyn StorageBackend; 2] = [&overlay, &model];
        let all = |storage: &dyn StorageBackend| {
            let mut bytes = vec![0; storage.len().unwrap() as usize];
            storage.read(0, &mut bytes).unwrap();
            bytes
        };
        for storage in both {
            storage.write(4_090, &[1; 12]).unwrap();
            storage.write(0, &[2; 5]).unwrap();
        }
        assert_eq!(all(&overlay), all(&model));
        for length in [9_000, 4_095, 12_000, 0, 300] {
            for storage in both {
                storage.set_len(length).unwrap();
            }
            assert_eq!(all(&overlay), all(&model), "{length}");
        }
        assert!(overlay.read(299, &mut [0; 2]).is_err());
        assert_eq!(all(&overlay.below), first);
    }
}
