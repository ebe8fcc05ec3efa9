//! Evidence in the order of the changes.
//!
//! Two tasks that change the stock one after the other can leave the store in the
//! other order. If each made its evidence at once, a gauge could end at the older
//! level, and the spans would tell the changes in the wrong order.

use tokio::sync::oneshot;

/// A change that is committed, and its turn to be recorded.
#[derive(Debug)]
#[must_use = "a change needs its evidence"]
pub(crate) struct Changed<T> {
    change: T,
    turn: Turn,
}

/// Comes when the earlier turn is dropped.
#[derive(Debug)]
struct Turn {
    earlier: oneshot::Receiver<()>,
    _done: oneshot::Sender<()>,
}

impl<T> Changed<T> {
    /// Makes the evidence of a change, after that of every change before it. Run
    /// it in a task that goes on when its caller leaves, or the evidence is lost.
    pub(crate) async fn record(self, evidence: impl FnOnce(&T)) -> T {
        let Self { change, turn: Turn { earlier, _done } } = self;
        // Nothing is ever sent. A turn ends when it is dropped, also by a panic.
        let _ = earlier.await;
        evidence(&change);
        change
    }
}

/// Gives turns, each after the one before it.
#[derive(Debug)]
pub(super) struct Turns {
    last: oneshot::Receiver<()>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { last: oneshot::channel().1 }
    }
}

impl Turns {
    /// Call it under the lock of the change, so that the turns have its order.
    pub(super) fn next<T>(&mut self, change: T) -> Changed<T> {
        let (_done, last) = oneshot::channel();
        let earlier = std::mem::replace(&mut self.last, last);
        Changed { change, turn: Turn { earlier, _done } }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test]
    async fn changes_are_recorded_in_their_order_whichever_task_comes_first() {
        let (mut turns, recorded) = (Turns::default(), Arc::new(Mutex::new(Vec::new())));
        let changes: Vec<_> = (0..5).map(|number| turns.next(number)).collect();
        let mut tasks = Vec::new();
        for change in changes.into_iter().rev() {
            let recorded = recorded.clone();
            tasks.push(tokio::spawn(async move {
                change.record(|number| recorded.lock().unwrap().push(*number)).await
            }));
            // The task has run as far as it can before the next one starts.
            tokio::task::yield_now().await;
        }
        for (task, number) in tasks.into_iter().zip((0..5).rev()) {
            assert_eq!(task.await.unwrap(), number);
        }
        assert_eq!(*recorded.lock().unwrap(), [0, 1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn a_change_that_is_never_recorded_does_not_stop_the_next_one() {
        let mut turns = Turns::default();
        let (first, second) = (turns.next(1), turns.next(2));
        let second = tokio::spawn(second.record(|_| {}));
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        assert_eq!(second.await.unwrap(), 2);
    }
}
