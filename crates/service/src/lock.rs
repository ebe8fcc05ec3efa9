//! Locks that are held for a few steps, which cannot panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The lock. Its holders cannot leave it half changed, so poison is no danger.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
