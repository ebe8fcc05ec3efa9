//! The README begins with what an experiment really prints.
//!
//! To refresh the quote, run `target/release/campuscafe experiment double --trial 2`. Copy
//! from the first sentence to the verdict into README.md and README.ja.md.

use std::collections::BTreeSet;

use campuscafe_tests::{Cafe, Process, root};

/// A line without what differs from run to run: numbers, and the columns of the diagram,
/// which depend on how many events came in the same millisecond.
fn comparable(line: &str) -> String {
    let words = line.replace(|c: char| "#.*|".contains(c), " ");
    let number = |word: &str| word.replace(|c: char| c.is_ascii_digit(), "0");
    let mut text = String::new();
    for word in words.split_whitespace().map(number) {
        text += &format!("{} ", word.replace("00", "0").replace("00", "0"));
    }
    text.trim_end().to_owned()
}

/// What the lines say, each once. Lines in which only time passes say nothing.
fn sayings<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    lines.map(comparable).filter(|line| !["", ":", "0 ms"].contains(&&**line)).collect()
}

#[tokio::test]
async fn the_readme_quotes_what_the_experiment_prints() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, quote) = readme.split_once("$ campuscafe experiment double --trial 2\n...\n").unwrap();
    let (quote, _) = quote.split_once("\n```").unwrap();
    let (first, last) = (quote.lines().next().unwrap(), quote.lines().last().unwrap());

    let cafe = Cafe::open().await;
    let arguments = ["experiment", "double", "--trial", "2", "--lab-url", &cafe.lab];
    let (code, printed, _) = Process::run("campuscafe", &arguments, &[]).await;
    assert_eq!(code, Some(0), "{printed}");
    let begins = printed.lines().position(|line| line == first);
    let begins = begins.unwrap_or_else(|| panic!("no {first:?} in\n{printed}"));
    let lines: Vec<_> = printed.lines().skip(begins).collect();
    let ends = lines.iter().position(|line| comparable(line) == comparable(last));
    let ends = ends.unwrap_or_else(|| panic!("no {last:?} in\n{printed}"));

    let (quoted, printed) = (sayings(quote.lines()), sayings(lines[..=ends].iter().copied()));
    let stale: Vec<_> = quoted.difference(&printed).collect();
    let missing: Vec<_> = printed.difference(&quoted).collect();
    assert!(
        stale.is_empty() && missing.is_empty(),
        "only quoted: {stale:#?}\nonly printed: {missing:#?}"
    );
}
