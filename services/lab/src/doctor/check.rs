//! The result of one check.

use serde::Serialize;

use crate::printable::printable;

/// How much of another program's text is repeated, in characters.
const MAX_FOUND: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Ok,
    /// Worth knowing. It prevents nothing.
    Note,
    Bad,
}

/// A line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    pub(super) name: String,
    pub(super) status: Status,
    pub(super) found: String,
    /// A command that repairs it, or where to read how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fix: Option<String>,
}

impl Check {
    pub(super) fn ok(name: impl Into<String>, found: impl AsRef<str>) -> Self {
        Self::new(name, Status::Ok, found.as_ref(), None)
    }

    pub(super) fn note(name: impl Into<String>, found: impl AsRef<str>) -> Self {
        Self::new(name, Status::Note, found.as_ref(), None)
    }

    pub(super) fn bad(
        name: impl Into<String>,
        found: impl AsRef<str>,
        fix: impl AsRef<str>,
    ) -> Self {
        Self::new(name, Status::Bad, found.as_ref(), Some(plain(fix.as_ref())))
    }

    fn new(name: impl Into<String>, status: Status, found: &str, fix: Option<String>) -> Self {
        Self { name: name.into(), status, found: plain(found), fix }
    }

    pub(super) fn is_bad(&self) -> bool {
        self.status == Status::Bad
    }
}

/// Names of processes and answers of other programs may hold anything.
fn plain(text: &str) -> String {
    printable(text).chars().take(MAX_FOUND).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_other_programs_cannot_control_the_terminal_or_fill_it() {
        let check = Check::ok("it", format!("by \x1b[31mred\n{}", "x".repeat(1000)));
        assert!(check.found.starts_with("by \\u{1b}[31mred\\u{a}xxx"), "{}", check.found);
        assert_eq!(check.found.chars().count(), MAX_FOUND);
    }
}
