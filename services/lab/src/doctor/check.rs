//! What a check came to.

use serde::Serialize;

use crate::printable::printable;

/// How much of what others say is repeated, in characters.
const MAX_FOUND: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Ok,
    /// Worth knowing, and no obstacle.
    Note,
    Bad,
}

/// What was found, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) status: Status,
    pub(super) found: String,
    /// The command that mends it, or where to read how.
    pub(super) mend: Option<String>,
}

impl Verdict {
    pub(super) fn ok(found: impl Into<String>) -> Self {
        Self { status: Status::Ok, found: plain(&found.into()), mend: None }
    }

    pub(super) fn note(found: impl Into<String>) -> Self {
        Self { status: Status::Note, found: plain(&found.into()), mend: None }
    }

    pub(super) fn bad(found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { status: Status::Bad, found: plain(&found.into()), mend: Some(plain(&mend.into())) }
    }

    /// What is bad only if it is needed.
    pub(super) fn bad_if(needed: bool, found: impl Into<String>, mend: impl Into<String>) -> Self {
        if needed { Self::bad(found, mend) } else { Self::note(found) }
    }

    /// As a line of the report.
    pub(super) fn of(self, name: impl Into<String>, needed: bool) -> Check {
        let Self { status, found, mend } = self;
        Check { name: name.into(), status, needed, found, mend }
    }
}

/// A line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    pub(super) name: String,
    pub(super) status: Status,
    /// Whether the asked way of running needs it to be well.
    pub(super) needed: bool,
    pub(super) found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mend: Option<String>,
}

impl Check {
    pub(super) fn stands_in_the_way(&self) -> bool {
        self.needed && self.status == Status::Bad
    }
}

/// Names of processes and words of other programs may hold anything.
fn plain(text: &str) -> String {
    printable(text).chars().take(MAX_FOUND).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_cannot_steer_the_terminal_or_fill_it() {
        let verdict = Verdict::ok(format!("by \x1b[31mred\n{}", "x".repeat(1000)));
        assert!(verdict.found.starts_with("by \\u{1b}[31mred\\u{a}xxx"), "{}", verdict.found);
        assert_eq!(verdict.found.chars().count(), MAX_FOUND);
    }

    #[test]
    fn only_what_is_both_bad_and_needed_stands_in_the_way() {
        for (verdict, needed, expected) in [
            (Verdict::bad("", ""), true, true),
            (Verdict::bad("", ""), false, false),
            (Verdict::note(""), true, false),
            (Verdict::ok(""), true, false),
            (Verdict::bad_if(false, "", ""), true, false),
        ] {
            let check = verdict.of("it", needed);
            assert_eq!(check.stands_in_the_way(), expected, "{check:?}");
        }
    }
}
