//! What the inventory remembers of the requests it has seen, and for how long.
//!
//! Two things are remembered, for different reasons: how many attempts a
//! request made ([`Attempts`]), because its plan has a step for each, and that
//! it has committed ([`Commits`]), because its next commit is a duplicate.
//!
//! Each history has a key type of its own, because the two questions are
//! different: which attempt is this, and is this commit a repetition. Today both
//! keys come from the `X-Request-Id`. A key is a keyed 128-bit hash: an id has up
//! to 128 bytes and the caller chooses it, a hash has 16, and without the secret
//! nobody can find two ids with the same hash.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

use campuscafe_api::order::MAX_ATTEMPT_TIMEOUT;
use campuscafe_chaos::MAX_WAIT;
use campuscafe_cures::Touched;
use siphasher::sip128::{Hasher128 as _, SipHasher13};
use tokio::time::Instant;

/// How long a request is remembered at least.
///
/// The last commit of an order can follow its first one after the longest limit
/// of an attempt and the longest wait of a fault, in this order: the first
/// attempt commits at once and holds its answer, the second is sent at its limit
/// and waits before it commits. The minute more is for delays in
/// between: a body takes up to 10 s, a busy machine some seconds.
pub(crate) const HORIZON: Duration =
    MAX_ATTEMPT_TIMEOUT.saturating_add(MAX_WAIT).saturating_add(Duration::from_mins(1));

/// Makes keys from request ids.
#[derive(Debug, Clone)]
pub(crate) struct KeyHasher(SipHasher13);

/// Identifies a request whose attempts are counted for its plan of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AttemptKey(u128);

/// Identifies a request whose second commit is a duplicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CommitKey(u128);

impl CommitKey {
    pub(crate) const fn bits(self) -> u128 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }
}

impl KeyHasher {
    /// The secret can be any random number.
    pub(crate) fn new(secret: u128) -> Self {
        Self(SipHasher13::new_with_key(&secret.to_ne_bytes()))
    }

    pub(crate) fn attempt_key(&self, request_id: &str) -> AttemptKey {
        AttemptKey(self.hash(request_id))
    }

    pub(crate) fn commit_key(&self, request_id: &str) -> CommitKey {
        CommitKey(self.hash(request_id))
    }

    /// A hash of some text, equal only for equal texts.
    pub(crate) fn hash(&self, request_id: &str) -> u128 {
        let mut hasher = self.0;
        hasher.write(request_id.as_bytes());
        hasher.finish128().as_u128()
    }
}

/// How many attempts each request made.
///
/// 7,168 requests are the most that a table of 8,192 places takes before it
/// grows, and a place has 33 bytes: all six tables take 1.6 MiB. Only plans of
/// several steps are counted, which the order service never sends.
#[derive(Debug)]
pub(crate) struct Attempts(RequestHistory<u32>);

impl Default for Attempts {
    fn default() -> Self {
        Self(RequestHistory::new(6, 7_168))
    }
}

impl Attempts {
    /// The number of the request's next attempt; 1 for the first.
    pub(crate) fn next(&self, request: AttemptKey, now: Instant) -> u32 {
        self.0.get(request.0, now).map_or(1, |attempts| attempts.saturating_add(1))
    }

    /// Counts an attempt.
    pub(crate) fn count(&mut self, request: AttemptKey, now: Instant) {
        let next = self.next(request, now);
        self.0.remember(request.0, next, now);
    }

    /// Forgets them all, because it was asked for: that is not an eviction.
    pub(crate) fn forget(&mut self) {
        self.0.generations.clear();
    }

    /// Requests that were forgotten before [`HORIZON`] was over.
    pub(crate) const fn evicted(&self) -> u64 {
        self.0.evicted
    }
}

/// Which requests have committed.
///
/// 57,344 requests are the most that a table of 65,536 places takes before it
/// grows, and a place has 17 bytes: all fifteen tables take 16 MiB, an eighth of
/// what the container has (128 MiB). At 4,400 commits a second they reach back as
/// far as [`HORIZON`]; at 19,600 a second, 40 s.
#[derive(Debug)]
pub(crate) struct Commits(RequestHistory<()>);

impl Default for Commits {
    fn default() -> Self {
        Self(RequestHistory::new(15, 57_344))
    }
}

impl Commits {
    /// Notes a commit; tells whether the request has committed before.
    pub(crate) fn note(&mut self, request: CommitKey, now: Instant) -> bool {
        self.0.remember(request.0, (), now).is_some()
    }

    /// Whether the request has committed.
    pub(crate) fn has(&self, request: CommitKey, now: Instant) -> bool {
        self.0.get(request.0, now).is_some()
    }

    /// Whether a commit of the request is noted, however long ago.
    pub(crate) fn is_known(&self, request: CommitKey) -> bool {
        self.0.generations.iter().any(|it| it.entries.contains_key(&request.0))
    }

    /// Notes from now on which requests are noted and forgotten: see [`Self::take_touched`].
    pub(crate) fn note_touched(&mut self) {
        self.0.touched.switch_on();
    }

    /// The requests that were noted or forgotten since the last call.
    pub(crate) fn take_touched(&mut self) -> Vec<CommitKey> {
        self.0.touched.take().into_iter().map(CommitKey).collect()
    }

    /// Requests that were forgotten before [`HORIZON`] was over.
    pub(crate) const fn evicted(&self) -> u64 {
        self.0.evicted
    }
}

/// A memory that is bounded by time and by the number of entries.
///
/// The entries stand in tables, a new one for each quarter of [`HORIZON`] or
/// when the last one is full, and are forgotten by whole tables. So no entry
/// needs a time of its own, and no table is so large that its growing would hold
/// the lock for long. Every table is asked for every request: with fifteen of
/// them that takes 1.5 microseconds (measured, release build).
#[derive(Debug)]
struct RequestHistory<V> {
    /// Oldest first.
    generations: VecDeque<Generation<V>>,
    most_generations: usize,
    most_entries: usize,
    evicted: u64,
    touched: Touched<u128>,
}

#[derive(Debug)]
struct Generation<V> {
    entries: HashMap<u128, V, BuildHasherDefault<AlreadyHashed>>,
    opened: Instant,
    newest: Instant,
}

impl<V: Copy> RequestHistory<V> {
    const fn new(most_generations: usize, most_entries: usize) -> Self {
        Self {
            generations: VecDeque::new(),
            most_generations,
            most_entries,
            evicted: 0,
            touched: Touched::OFF,
        }
    }

    fn get(&self, key: u128, now: Instant) -> Option<V> {
        let known = self.generations.iter().rev().filter(|generation| !generation.is_over(now));
        known.filter_map(|generation| generation.entries.get(&key)).next().copied()
    }

    /// Remembers a value from now on; gives the one that was remembered before.
    fn remember(&mut self, key: u128, value: V, now: Instant) -> Option<V> {
        while self.generations.front().is_some_and(|oldest| oldest.is_over(now)) {
            if let Some(oldest) = self.generations.pop_front() {
                self.touched.note_all(oldest.entries.into_keys());
            }
        }
        self.touched.note(|| key);
        let full = |newest: &Generation<V>| {
            let room =
                newest.entries.len() < self.most_entries || newest.entries.contains_key(&key);
            !room || age(newest.opened, now) >= HORIZON / 4
        };
        if self.generations.back().is_none_or(full) {
            self.open(now);
        }
        let newest = self.generations.back_mut()?;
        newest.newest = newest.newest.max(now);
        if let Some(known) = newest.entries.get_mut(&key) {
            return Some(std::mem::replace(known, value));
        }
        newest.entries.insert(key, value);
        // It stands in one table only, or evictions would be counted twice.
        let older = self.generations.iter_mut().rev().skip(1);
        older.filter_map(|generation| generation.entries.remove(&key)).next()
    }

    /// Begins a table; where that is one too many, forgets the oldest.
    fn open(&mut self, now: Instant) {
        if self.generations.len() >= self.most_generations
            && let Some(oldest) = self.generations.pop_front()
        {
            self.evicted = self.evicted.saturating_add(oldest.entries.len() as u64);
            self.touched.note_all(oldest.entries.into_keys());
        }
        self.generations.push_back(Generation {
            entries: HashMap::default(),
            opened: now,
            newest: now,
        });
    }
}

impl<V> Generation<V> {
    fn is_over(&self, now: Instant) -> bool {
        age(self.newest, now) > HORIZON
    }
}

/// A caller takes the time before it waits for the lock, so `then` may be a little
/// later than `now`.
fn age(then: Instant, now: Instant) -> Duration {
    now.saturating_duration_since(then)
}

/// For keys that are hashes or random numbers: a table needs 64 bits of them.
#[derive(Debug, Default)]
pub(crate) struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, hash: u128) {
        self.0 = hash as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn attempt(id: &str) -> AttemptKey {
        KeyHasher::new(7).attempt_key(id)
    }

    fn commit(id: &str) -> CommitKey {
        KeyHasher::new(7).commit_key(id)
    }

    impl<V> RequestHistory<V> {
        /// What the tables take: each of their places an entry and a byte more.
        fn bytes(&self) -> usize {
            let places = |generation: &Generation<V>| generation.entries.capacity() / 7 * 8;
            let place = size_of::<(u128, V)>() + 1;
            self.generations.iter().map(places).sum::<usize>() * place
        }
    }

    #[test]
    fn attempts_are_numbered_from_one_for_each_request() {
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        let [a, b] = ["a", "b"].map(attempt);
        assert_eq!((attempts.next(a, now), attempts.next(a, now)), (1, 1), "asking counts nothing");
        attempts.count(a, now);
        attempts.count(a, now);
        assert_eq!((attempts.next(a, now), attempts.next(b, now)), (3, 1));
        attempts.forget();
        assert_eq!((attempts.next(a, now), attempts.evicted()), (1, 0));
    }

    #[test]
    fn only_the_second_commit_of_a_request_is_a_duplicate() {
        let (mut commits, now) = (Commits::default(), Instant::now());
        let seen = ["a", "b", "a", "a"].map(|id| commits.note(commit(id), now));
        assert_eq!(seen, [false, false, true, true]);
    }

    #[test]
    fn requests_are_known_for_three_minutes_and_forgotten_by_a_quarter_later() {
        assert_eq!(HORIZON, Duration::from_mins(3));
        let begun = Instant::now();
        for (passed, known) in [(HORIZON, true), (HORIZON * 5 / 4 + SECOND, false)] {
            let (mut commits, mut attempts) = (Commits::default(), Attempts::default());
            commits.note(commit("a"), begun);
            attempts.count(attempt("a"), begun);
            // Others come all the while, a hundred a second.
            for n in 0..passed.as_secs() * 100 {
                let (other, now) = (n.to_string(), begun + SECOND * (n / 100) as u32);
                commits.note(commit(&other), now);
                attempts.count(attempt(&other), now);
            }
            let (now, next) = (begun + passed, if known { 2 } else { 1 });
            assert_eq!(attempts.next(attempt("a"), now), next, "{passed:?}");
            assert_eq!(commits.note(commit("a"), now), known, "{passed:?}");
            assert_eq!((commits.evicted(), attempts.evicted()), (0, 0), "nothing too early");
        }
    }

    #[test]
    fn a_request_that_comes_again_is_known_for_three_more_minutes() {
        let (mut commits, a) = (Commits::default(), commit("a"));
        let mut now = Instant::now();
        commits.note(a, now);
        for _ in 0..5 {
            now += HORIZON - SECOND;
            assert!(commits.note(a, now));
        }
        assert_eq!(kept(&commits.0), 1);
    }

    #[test]
    fn at_a_thousand_commits_a_second_nothing_is_forgotten_early() {
        let (mut commits, begun) = (Commits::default(), Instant::now());
        for n in 0..300_000_u64 {
            let now = begun + Duration::from_millis(n);
            assert!(!commits.note(CommitKey(spread(n)), now));
            if let Some(earlier) = n.checked_sub(180_000).filter(|_| n % 97 == 0) {
                assert!(commits.note(CommitKey(spread(earlier)), now), "{n}");
            }
        }
        assert_eq!(commits.evicted(), 0);
        assert!(commits.0.bytes() < 8 << 20, "{} bytes", commits.0.bytes());
    }

    #[test]
    fn what_is_forgotten_early_is_counted_and_the_newest_are_kept() {
        // The commits' own tables, in small: 19,600 a second are a hundredth here.
        let mut recent = RequestHistory::new(15, 573);
        let begun = Instant::now();
        let at = |n: u64| begun + SECOND * (n / 196) as u32;
        let count = 50_000;
        for n in 0..count {
            assert_eq!(recent.remember(spread(n), (), at(n)), None);
        }
        let kept = kept(&recent);
        assert!(kept >= 14 * 573, "{kept}");
        assert_eq!(recent.evicted + kept, count, "each is remembered or counted");
        let (now, oldest) = (at(count - 1), count - 14 * 573);
        assert_eq!(recent.remember(spread(oldest), (), now), Some(()));
        assert_eq!(recent.remember(spread(0), (), now), None);
    }

    #[test]
    fn commits_take_16_mebibytes_at_most_and_attempts_2() {
        let full = |most_generations, most_entries| {
            let mut one = RequestHistory::new(most_generations, most_entries);
            for n in 0..most_entries as u64 {
                one.remember(spread(n), (), Instant::now());
            }
            assert_eq!(one.generations.len(), 1);
            one.bytes() * most_generations
        };
        let commits = Commits::default().0;
        assert!(full(commits.most_generations, commits.most_entries) <= 16 << 20);
        let attempts = Attempts::default().0;
        let places = full(attempts.most_generations, attempts.most_entries) / 17;
        assert!(places * (size_of::<(u128, u32)>() + 1) <= 2 << 20);
    }

    #[test]
    fn the_secret_decides_which_key_an_id_has() {
        let [one, other] = [7, 8].map(KeyHasher::new);
        assert_eq!(one.hash("a"), KeyHasher::new(7).hash("a"));
        assert_ne!(one.hash("a"), one.hash("b"));
        assert_ne!(one.hash("a"), other.hash("a"));
    }

    fn kept<V>(recent: &RequestHistory<V>) -> u64 {
        recent.generations.iter().map(|generation| generation.entries.len() as u64).sum()
    }

    /// A number like a hash, and cheaper.
    fn spread(n: u64) -> u128 {
        u128::from(n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
    }
}
