//! How much memory requests may use at one time: one budget in bytes for the
//! bodies that are being read, decompressed and decoded, and for the traces that
//! are being written to readers.
//!
//! A body takes its share as it grows, so a sender that stops holds only what it
//! has sent. Requests that grow at the same time could deadlock: each holds a part
//! and waits for the rest. Therefore half of the budget is set aside. One body at
//! a time may use it, and it is enough to finish any body.
//!
//! Readers use a quarter at most. A reader that stops reading keeps its share until
//! its connection ends, and senders must not lose spans because of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::error::Busy;
use crate::limits::{MAX_IN_FLIGHT, MAX_READING, MAX_SHARE, WAIT};

/// The budget is counted in units of this many bytes.
const UNIT: usize = 1024;

/// The budget of all requests.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    general: Arc<Semaphore>,
    set_aside: Arc<Semaphore>,
    reading: Arc<Semaphore>,
}

impl Default for Budget {
    fn default() -> Self {
        let general = Semaphore::new((MAX_IN_FLIGHT - MAX_SHARE) / UNIT);
        let reading = Semaphore::new(MAX_READING / UNIT);
        Self {
            general: Arc::new(general),
            set_aside: Arc::new(Semaphore::new(1)),
            reading: Arc::new(reading),
        }
    }
}

impl Budget {
    /// The share of one body, empty at first.
    pub(crate) fn share(&self) -> Share {
        Share { budget: self.clone(), held: None, set_aside: None, patience: WAIT }
    }

    /// The share of one reader, at most [`MAX_READING`].
    ///
    /// # Errors
    ///
    /// When there was no room for it within [`WAIT`].
    pub(crate) async fn reader(&self, bytes: usize) -> Result<ReaderShare, Busy> {
        let units = units(bytes.min(MAX_READING));
        let room = async {
            let reading = self.reading.clone().acquire_many_owned(units).await.ok();
            let general = self.general.clone().acquire_many_owned(units).await.ok();
            ReaderShare { _reading: reading, _general: general }
        };
        timeout(WAIT, room).await.map_err(|_| Busy)
    }
}

/// What one reader uses of the budget; given back when dropped.
#[derive(Debug)]
pub(crate) struct ReaderShare {
    _reading: Option<OwnedSemaphorePermit>,
    _general: Option<OwnedSemaphorePermit>,
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

/// What one body uses of the budget; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    held: Option<OwnedSemaphorePermit>,
    /// The right to the half that is set aside.
    set_aside: Option<OwnedSemaphorePermit>,
    /// For how long it may still wait.
    patience: Duration,
}

impl Share {
    /// Makes the share at least this large, at most [`MAX_SHARE`], and says how
    /// long that took.
    ///
    /// # Errors
    ///
    /// When there was no room for it, although it waited for [`WAIT`].
    pub(crate) async fn grow_to(&mut self, bytes: usize) -> Result<Duration, Busy> {
        if self.try_grow_to(bytes).is_ok() {
            return Ok(Duration::ZERO);
        }
        let Budget { general, set_aside, .. } = self.budget.clone();
        let (missing, patience, begin) = (self.missing(bytes), self.patience, Instant::now());
        let room = async {
            tokio::select! {
                more = general.acquire_many_owned(missing) => self.add(more.ok()),
                right = set_aside.acquire_owned() => self.set_aside = right.ok(),
            }
        };
        timeout(patience, room).await.map_err(|_| Busy)?;
        let waited = begin.elapsed();
        self.patience = patience.saturating_sub(waited);
        Ok(waited)
    }

    /// The same without waiting.
    ///
    /// # Errors
    ///
    /// When there is no room for it now.
    pub(crate) fn try_grow_to(&mut self, bytes: usize) -> Result<(), Busy> {
        let missing = self.missing(bytes);
        if missing == 0 || self.set_aside.is_some() {
            return Ok(());
        }
        let Budget { general, set_aside, .. } = self.budget.clone();
        if let Ok(more) = general.try_acquire_many_owned(missing) {
            self.add(Some(more));
            return Ok(());
        }
        self.set_aside = Some(set_aside.try_acquire_owned().map_err(|_| Busy)?);
        Ok(())
    }

    fn missing(&self, bytes: usize) -> u32 {
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let held = u32::try_from(held).unwrap_or(u32::MAX);
        units(bytes.min(MAX_SHARE)).saturating_sub(held)
    }

    fn add(&mut self, more: Option<OwnedSemaphorePermit>) {
        match (&mut self.held, more) {
            (Some(held), Some(more)) => held.merge(more),
            (held @ None, more) => *held = more,
            (Some(_), None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    const MIB: usize = 1024 * 1024;

    #[tokio::test(start_paused = true)]
    async fn requests_that_all_grow_at_once_are_all_finished() {
        let budget = Budget::default();
        let growing = |budget: &Budget| {
            let mut share = budget.share();
            tokio::spawn(async move {
                for mib in 1..=16 {
                    share.grow_to(mib * MIB).await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        };
        let requests: Vec<_> = (0..100).map(|_| growing(&budget)).collect();
        for request in requests {
            request.await.unwrap();
        }
        assert_eq!(budget.general.available_permits() * UNIT, 16 * MIB);
        assert_eq!(budget.set_aside.available_permits(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_finds_no_room_in_time_is_told_so() {
        let budget = Budget::default();
        let mut shares = [budget.share(), budget.share(), budget.share()];
        let [first, second, third] = &mut shares;
        first.grow_to(MAX_SHARE).await.unwrap();
        second.grow_to(MAX_SHARE).await.unwrap();
        let begin = Instant::now();
        assert_eq!(third.grow_to(1).await, Err(Busy));
        assert_eq!((begin.elapsed(), third.try_grow_to(1)), (WAIT, Err(Busy)));
        first.grow_to(MAX_SHARE).await.expect("what it has already");
        drop(shares);
        budget.share().try_grow_to(1).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_holds_little_leaves_the_rest_to_others() {
        let budget = Budget::default();
        let mut small: Vec<_> = (0..1_000).map(|_| budget.share()).collect();
        for share in &mut small {
            share.grow_to(4 * 1024).await.unwrap();
        }
        budget.share().try_grow_to(12 * MIB).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn readers_that_do_not_read_leave_three_quarters_to_senders() {
        let budget = Budget::default();
        let mut readers = Vec::new();
        while let Ok(reader) = budget.reader(MIB).await {
            readers.push(reader);
        }
        assert_eq!(readers.len() * MIB, MAX_READING);
        let mut shares = [budget.share(), budget.share()];
        shares[0].try_grow_to(MAX_IN_FLIGHT - MAX_SHARE - MAX_READING).unwrap();
        shares[1].try_grow_to(MAX_SHARE).unwrap();
    }
}
