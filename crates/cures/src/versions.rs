//! Changes that say which version they were made from.
//!
//! Two callers read a value, both change it, and the older change arrives last. Without a
//! version the last to arrive wins, and nobody notices: a "lost update". With `If-Match`
//! (RFC 9110, section 13.1.1) a change says which version it replaces, and is refused if
//! another came in between.

use std::fmt;

use thiserror::Error;

/// A version of a value, counted from 1. It never comes again, so it says which value a
/// caller has seen, even if a later value is equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u64);

impl Version {
    /// The version of a value that nobody has changed.
    pub const FIRST: Self = Self(1);

    /// A version that was written down; 0 is none and counts as the first.
    #[must_use]
    pub const fn of_number(number: u64) -> Self {
        if number == 0 { Self::FIRST } else { Self(number) }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The version that an opaque tag without its quotes stands for. Tags are compared
    /// character by character, so only one text stands for a version.
    fn of_tag(tag: &[u8]) -> Option<Self> {
        let version = Self(std::str::from_utf8(tag).ok()?.parse().ok()?);
        (version.0.to_string().as_bytes() == tag).then_some(version)
    }
}

/// As a strong entity tag: in quotes.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// What the header `If-Match` asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum IfMatch {
    /// `*`: there is a value.
    Any,
    /// The value has one of these versions. A weak tag, and one that is no version, never
    /// match: the comparison is the strong one.
    OneOf(Vec<Version>),
}

/// The header is not as RFC 9110 writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected * or a list of entity tags in quotes, such as \"1\"")]
pub struct InvalidIfMatch;

impl IfMatch {
    /// Reads every `If-Match` of a request; several are one list.
    ///
    /// # Errors
    ///
    /// When one is neither `*` alone nor a list of entity tags.
    pub fn from_headers<'a>(
        values: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Option<Self>, InvalidIfMatch> {
        let mut found = None;
        for value in values {
            let read = match value.trim_ascii() {
                b"*" => Self::Any,
                list => Self::OneOf(versions(list)?),
            };
            found = Some(match (found, read) {
                (None, read) => read,
                (Some(Self::OneOf(mut all)), Self::OneOf(more)) => {
                    all.extend(more);
                    Self::OneOf(all)
                }
                (Some(_), _) => return Err(InvalidIfMatch),
            });
        }
        Ok(found)
    }

    fn holds(&self, current: Version) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&current),
        }
    }
}

/// The versions in a list of entity tags. Elements may be empty (RFC 9110, section 5.6.1).
fn versions(list: &[u8]) -> Result<Vec<Version>, InvalidIfMatch> {
    let mut versions = Vec::new();
    let mut rest = list;
    loop {
        rest = rest.trim_ascii_start();
        match rest {
            [] => return Ok(versions),
            [b',', after @ ..] => rest = after,
            _ => {
                let (strong, opaque) = match rest {
                    [b'W', b'/', b'"', opaque @ ..] => (false, opaque),
                    [b'"', opaque @ ..] => (true, opaque),
                    _ => return Err(InvalidIfMatch),
                };
                let end = opaque.iter().position(|byte| *byte == b'"').ok_or(InvalidIfMatch)?;
                let (tag, after) = opaque.split_at(end);
                if tag.iter().any(|byte| *byte <= b' ' || *byte == 0x7f) {
                    return Err(InvalidIfMatch);
                }
                versions.extend(Version::of_tag(tag).filter(|_| strong));
                rest = after.strip_prefix(b"\"").unwrap_or_default().trim_ascii_start();
                if !matches!(rest, [] | [b',', ..]) {
                    return Err(InvalidIfMatch);
                }
            }
        }
    }
}

/// On which condition a value is changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Condition {
    /// On none: the last to arrive wins.
    LastWins,
    /// The current version is the one that the caller names.
    Match(IfMatch),
    /// A version is asked for, and none is named.
    Unnamed,
}

impl Condition {
    /// The condition of a request. `If-Match` counts whenever it is sent; without it a change
    /// that is to be `versioned` has none to go by.
    #[must_use]
    pub fn of(versioned: bool, if_match: Option<IfMatch>) -> Self {
        match if_match {
            Some(if_match) => Self::Match(if_match),
            None if versioned => Self::Unnamed,
            None => Self::LastWins,
        }
    }
}

/// Why a value was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Conflict {
    /// The current version is another one: 412, Precondition Failed.
    Stale(Version),
    /// No version was named: 428, Precondition Required (RFC 6585, section 3).
    Unnamed(Version),
}

/// A value and its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Versioned<T> {
    /// The value.
    pub value: T,
    /// Its version.
    pub version: Version,
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change<T> {
    /// The value and its version before.
    pub before: Versioned<T>,
    /// And after.
    pub after: Versioned<T>,
}

impl<T: Copy> Versioned<T> {
    /// A value that nobody has changed.
    pub const fn first(value: T) -> Self {
        Self { value, version: Version::FIRST }
    }

    /// Changes the value if the condition holds. Each change makes a new version, also one
    /// to an equal value.
    ///
    /// # Errors
    ///
    /// When the condition does not hold; nothing has changed then.
    pub fn change(&mut self, value: T, condition: &Condition) -> Result<Change<T>, Conflict> {
        match condition {
            Condition::Match(if_match) if !if_match.holds(self.version) => {
                return Err(Conflict::Stale(self.version));
            }
            Condition::Unnamed => return Err(Conflict::Unnamed(self.version)),
            Condition::LastWins | Condition::Match(_) => {}
        }
        let before = *self;
        *self = Self { value, version: Version(self.version.0.saturating_add(1)) };
        Ok(Change { before, after: *self })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(values: &[&str]) -> Result<Option<IfMatch>, InvalidIfMatch> {
        IfMatch::from_headers(values.iter().map(|value| value.as_bytes()))
    }

    fn versions(numbers: &[u64]) -> IfMatch {
        IfMatch::OneOf(numbers.iter().copied().map(Version).collect())
    }

    #[test]
    fn if_match_is_a_star_or_a_list_of_entity_tags() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[" * "]), Ok(Some(IfMatch::Any)));
        for (values, numbers) in [
            (&["\"7\""][..], &[7][..]),
            (&["\"1\", \"2\""], &[1, 2]),
            (&["\"1\",\"2\"", "\t\"3\" "], &[1, 2, 3]),
            (&[", \"1\" ,, \"2\","], &[1, 2]),
            (&[""], &[]),
            (&["\"a,b\", \"4\""], &[4]),
            (&["\"\", \"*\", \"\u{e9}\""], &[]),
        ] {
            assert_eq!(read(values), Ok(Some(versions(numbers))), "{values:?}");
        }
    }

    #[test]
    fn a_weak_tag_and_another_spelling_of_a_version_match_nothing() {
        for tag in ["W/\"1\"", "\"01\"", "\"+1\"", "\"1.0\"", "\"18446744073709551617\""] {
            assert_eq!(read(&[tag]), Ok(Some(versions(&[]))), "{tag}");
        }
    }

    #[test]
    fn what_is_no_list_of_entity_tags_is_refused() {
        for values in [
            &["1"][..],
            &["\"1"],
            &["1\""],
            &["w/\"1\""],
            &["W/1"],
            &["\"1\" \"2\""],
            &["\"1\"\"2\""],
            &["\"a b\""],
            &["*, \"1\""],
            &["\"1\", *"],
            &["*", "*"],
            &["*", "\"1\""],
            &["\"1\"", "*"],
        ] {
            assert_eq!(read(values), Err(InvalidIfMatch), "{values:?}");
        }
    }

    #[test]
    fn a_version_is_written_as_the_tag_that_it_is_read_from() {
        let version = Versioned::first(400).version;
        assert_eq!(version.to_string(), "\"1\"");
        assert_eq!(read(&[&version.to_string()]), Ok(Some(versions(&[1]))));
    }

    #[test]
    fn if_match_counts_whenever_it_is_sent_and_a_versioned_change_needs_it() {
        let mut price = Versioned::first(400);
        let mut change = |versioned, if_match: Option<IfMatch>| {
            price.change(500, &Condition::of(versioned, if_match)).map(|it| it.after.version.0)
        };
        assert_eq!(change(false, None), Ok(2));
        assert_eq!(change(true, None), Err(Conflict::Unnamed(Version(2))));
        for versioned in [false, true] {
            let stale = Err(Conflict::Stale(Version(2)));
            assert_eq!(change(versioned, Some(versions(&[1, 3]))), stale, "{versioned}");
            assert_eq!(change(versioned, Some(versions(&[]))), stale, "{versioned}");
        }
        assert_eq!(change(true, Some(versions(&[1, 2]))), Ok(3));
        assert_eq!(change(true, Some(IfMatch::Any)), Ok(4));
        assert_eq!((price.value, price.version), (500, Version(4)));
    }

    /// What each of two callers does: reads, and then changes what it read.
    type Step = (usize, bool);

    /// Every order of the steps of two callers, each of whom reads before it changes.
    const INTERLEAVINGS: [[Step; 4]; 6] = {
        let [read, change, other_read, other_change] =
            [(0, false), (0, true), (1, false), (1, true)];
        [
            [read, change, other_read, other_change],
            [read, other_read, change, other_change],
            [read, other_read, other_change, change],
            [other_read, read, change, other_change],
            [other_read, read, other_change, change],
            [other_read, other_change, read, change],
        ]
    };

    /// How many changes were accepted although they were made from a value that another
    /// change had replaced, and how many were accepted at all.
    fn lost_and_accepted(steps: [Step; 4], named: bool) -> (u32, u32) {
        let (mut price, mut seen) = (Versioned::first(0), [Version::FIRST; 2]);
        let (mut lost, mut accepted) = (0, 0);
        for (caller, changes) in steps {
            if !changes {
                seen[caller] = price.version;
                continue;
            }
            let if_match = named.then(|| IfMatch::OneOf(vec![seen[caller]]));
            if let Ok(change) = price.change(caller, &Condition::of(named, if_match)) {
                accepted += 1;
                lost += u32::from(change.before.version != seen[caller]);
            }
        }
        (lost, accepted)
    }

    #[test]
    fn in_every_order_of_two_reads_and_two_changes_no_update_is_lost_if_versions_are_named() {
        let found = |named| INTERLEAVINGS.map(|steps| lost_and_accepted(steps, named));
        assert_eq!(found(true), [(0, 2), (0, 1), (0, 1), (0, 1), (0, 1), (0, 2)]);
        assert_eq!(
            found(false),
            [(0, 2), (1, 2), (1, 2), (1, 2), (1, 2), (0, 2)],
            "the test sees it"
        );
    }
}
