//! How often each request came and was committed, for the newest requests.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Requests remembered. A retry comes within seconds, so thousands of others
/// would have to come between for one to be forgotten too early.
const REMEMBERED: usize = 10_000;

#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    attempts: u32,
    commits: u32,
}

/// A bounded memory of request ids.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    seen: HashMap<Arc<str>, Seen>,
    oldest_first: VecDeque<Arc<str>>,
}

impl Requests {
    /// Counts an attempt; 1 for the first.
    pub(crate) fn attempt(&mut self, id: &str) -> u32 {
        let seen = self.entry(id);
        seen.attempts = seen.attempts.saturating_add(1);
        seen.attempts
    }

    /// Counts a commit; tells whether there was one before.
    pub(crate) fn commit(&mut self, id: &str) -> bool {
        let seen = self.entry(id);
        seen.commits = seen.commits.saturating_add(1);
        seen.commits > 1
    }

    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    fn entry(&mut self, id: &str) -> &mut Seen {
        if !self.seen.contains_key(id) {
            if self.oldest_first.len() >= REMEMBERED
                && let Some(oldest) = self.oldest_first.pop_front()
            {
                self.seen.remove(&oldest);
            }
            self.oldest_first.push_back(id.into());
        }
        self.seen.entry(id.into()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_numbered_from_one_for_each_request() {
        let mut requests = Requests::default();
        assert_eq!(
            [requests.attempt("a"), requests.attempt("a"), requests.attempt("b")],
            [1, 2, 1]
        );
    }

    #[test]
    fn only_the_second_commit_of_a_request_is_a_duplicate() {
        let mut requests = Requests::default();
        requests.attempt("a");
        assert_eq!(
            [
                requests.commit("a"),
                requests.commit("b"),
                requests.commit("a"),
                requests.commit("a")
            ],
            [false, false, true, true]
        );
    }

    #[test]
    fn memory_stays_bounded_and_the_newest_are_kept() {
        let mut requests = Requests::default();
        for n in 0..3 * REMEMBERED {
            requests.commit(&n.to_string());
        }
        assert_eq!((requests.seen.len(), requests.oldest_first.len()), (REMEMBERED, REMEMBERED));
        assert!(!requests.commit("0"), "the oldest is forgotten");
        assert!(requests.commit(&(3 * REMEMBERED - 1).to_string()), "the newest is known");
    }
}
