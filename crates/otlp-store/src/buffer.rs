//! Memory for a body.
//!
//! Bodies are megabytes that live for a moment. The allocator keeps memory that is
//! freed, and puts spans into it, which live long: bodies would use up to twice
//! their size. Therefore a body asks the system for memory. It uses what has been
//! written and nothing more, and all of it is freed at once.

use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

use crate::error::Busy;

/// Bytes, up to a number that was fixed at the beginning.
#[derive(Debug)]
pub(crate) struct Buffer {
    memory: MmapMut,
    length: usize,
}

impl Buffer {
    /// An empty buffer. What it may hold takes memory as it is written.
    ///
    /// # Errors
    ///
    /// When the system has no room for it.
    pub(crate) fn new(capacity: usize) -> Result<Self, Busy> {
        let memory = MmapMut::map_anon(capacity.max(1)).map_err(|_| Busy)?;
        Ok(Self { memory, length: 0 })
    }

    /// What has not been written yet.
    pub(crate) fn spare(&mut self) -> &mut [u8] {
        self.memory.get_mut(self.length..).unwrap_or_default()
    }

    /// Says that this much of what was spare has been written.
    pub(crate) fn written(&mut self, bytes: usize) {
        self.length = (self.length + bytes).min(self.memory.len());
    }

    /// Adds bytes, all or none; says whether they fitted.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> bool {
        let Some(place) = self.spare().get_mut(..bytes.len()) else { return false };
        place.copy_from_slice(bytes);
        self.written(bytes.len());
        true
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.memory.get(..self.length).unwrap_or_default()
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.memory.get_mut(..self.length).unwrap_or_default()
    }
}
