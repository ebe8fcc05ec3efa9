//! The checker: a program in Go, which shares no code with the services.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use campuscafe_tests::{on_path, root, skipped};

/// What the checker found.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) text: String,
    /// How many promises were broken, by kind. Empty if every promise was kept.
    pub(super) violations: BTreeMap<String, u64>,
}

/// The checker, or none where Go is not there; then it says so.
pub(super) fn checker() -> Option<&'static Path> {
    static CHECKER: OnceLock<Option<PathBuf>> = OnceLock::new();
    CHECKER.get_or_init(build).as_deref()
}

/// A Go command in the checker's folder. It takes the Go that is there and fetches no other.
fn go(arguments: &[&str]) -> Option<Command> {
    let mut go = Command::new(on_path(&["go"])?);
    go.args(arguments).current_dir(root().join("tests/torture/checker"));
    go.env("GOTOOLCHAIN", "local").env("GOFLAGS", "-mod=readonly").env("GOWORK", "off");
    Some(go)
}

fn build() -> Option<PathBuf> {
    let Some(mut modules) = go(&["mod", "download"]) else {
        skipped("the torture test: its checker needs Go 1.23 or newer (https://go.dev/dl)");
        return None;
    };
    let modules = modules.output().expect("go runs");
    if !modules.status.success() {
        let why = String::from_utf8_lossy(&modules.stderr).into_owned();
        skipped(&format!("the torture test: its checker's modules cannot be fetched: {why}"));
        return None;
    }
    // Others may build it at this moment, so it gets its name when it is whole.
    let (own, whole) =
        (folder().join(format!("checker-{}", std::process::id())), folder().join("checker"));
    std::fs::create_dir_all(folder()).expect("a folder");
    let built = go(&["build", "-o"])?.arg(&own).arg(".").output().expect("go runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    std::fs::rename(&own, &whole).expect("the same folder");
    Some(whole)
}

/// The tests of the checker itself; none without Go.
pub(super) fn own_tests() -> Option<std::process::Output> {
    checker()?;
    go(&["test", "-count=1", "./..."])?.output().ok()
}

/// Where runs leave what they wrote.
pub(super) fn folder() -> PathBuf {
    let test = std::env::current_exe().expect("a test is a program");
    test.ancestors().nth(3).expect("target/PROFILE/deps/test").join("torture")
}

/// Checks a history.
pub(super) async fn check(checker: &Path, history: &Path) -> Verdict {
    let folder = history.parent().expect("a history is in a folder");
    let ran = tokio::process::Command::new(checker)
        .args(["-limit", "60s", "-pictures"])
        .args([folder, history])
        .output()
        .await
        .expect("the checker runs");
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(
        matches!(ran.status.code(), Some(0 | 1)),
        "the checker could not decide on {}: {text}{said}",
        history.display()
    );
    std::fs::write(folder.join("report.txt"), &text).expect("room for a report");
    let violations = violations(&text).unwrap_or_else(|| panic!("no count of violations: {text}"));
    assert_eq!(violations.is_empty(), ran.status.success(), "{text}");
    Verdict { text, violations }
}

/// Reads `violations: 3 (2 not-ended, 1 stock)`.
fn violations(text: &str) -> Option<BTreeMap<String, u64>> {
    let line = text.lines().find_map(|line| line.strip_prefix("violations: "))?;
    let Some((_, kinds)) = line.split_once(" (") else {
        return (line == "0").then(BTreeMap::new);
    };
    let one = |kind: &str| {
        let (count, name) = kind.split_once(' ')?;
        Some((name.to_owned(), count.parse().ok()?))
    };
    kinds.trim_end_matches(')').split(", ").map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::violations;

    #[test]
    fn the_count_of_violations_is_read_by_kind() {
        let found = violations("1 order\nviolations: 3 (2 not-ended, 1 stock)\n").unwrap();
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [("not-ended".into(), 2), ("stock".into(), 1)]
        );
        assert!(violations("violations: 0\n").unwrap().is_empty());
        assert_eq!(violations("violations: 3\n"), None);
        assert_eq!(violations("nothing"), None);
    }
}
