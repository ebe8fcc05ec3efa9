//! Waiting for a condition, with a deadline.

use std::time::Duration;

/// Far longer than anything takes on a busy machine; a test that meets it has
/// found a broken promise.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits until `look` finds something.
///
/// # Panics
///
/// At the deadline, naming what was waited for.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    look: impl FnMut() -> F,
) -> T {
    match within_deadline(look).await {
        Some(found) => found,
        None => panic!("waited {DEADLINE:?} in vain for {what}"),
    }
}

/// Waits until `look` finds something; nothing at the deadline, so that a test can say what
/// it saw instead.
pub async fn within_deadline<T, F: Future<Output = Option<T>>>(
    mut look: impl FnMut() -> F,
) -> Option<T> {
    let wait = async {
        let mut again = tokio::time::interval(LOOK_EVERY);
        loop {
            again.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    tokio::time::timeout(DEADLINE, wait).await.ok()
}
