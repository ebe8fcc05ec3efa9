//! The time of day.

use std::time::{SystemTime, UNIX_EPOCH};

use campuscafe_cures::UnixMillis;

/// Milliseconds since 1970-01-01 00:00 UTC.
#[must_use]
pub fn unix_millis() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
