//! What was found, for people and for machines.

use serde_json::json;

use super::Way;
use super::check::{Check, Status};
use crate::view::style::Tone;

/// A line per check, what mends it below, and what it all comes to.
pub(super) fn text(
    way: Way,
    checks: &[Check],
    paint: impl Fn(Tone, &str) -> String + Copy,
) -> String {
    let width = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
    let mut text: String = checks.iter().map(|check| line(check, width, paint)).collect();
    let obstacles = checks.iter().filter(|check| check.stands_in_the_way()).count();
    let (tone, sum) = match obstacles {
        0 => (Tone::Good, format!("This machine is ready for: {}", way.name())),
        1 => (Tone::Bad, format!("1 thing stands in the way of: {}", way.name())),
        n => (Tone::Bad, format!("{n} things stand in the way of: {}", way.name())),
    };
    text.push_str(&format!("\n{}\n", paint(tone, &sum)));
    text
}

fn line(check: &Check, width: usize, paint: impl Fn(Tone, &str) -> String) -> String {
    let (word, tone) = match check.status {
        Status::Ok => ("ok", Tone::Good),
        Status::Note => ("note", Tone::Doubt),
        Status::Bad => ("bad", Tone::Bad),
    };
    let status = paint(tone, &format!("{word:<4}"));
    let mut line = format!("{status}  {:<width$}  {}\n", check.name, check.found);
    if let Some(mend) = &check.mend {
        line.push_str(&format!("      mend: {mend}\n"));
    }
    line
}

/// One JSON object with the same lines.
pub(super) fn json(way: Way, checks: &[Check]) -> String {
    let ok = !checks.iter().any(Check::stands_in_the_way);
    let object = json!({ "way": way.name(), "ok": ok, "checks": checks });
    format!("{object:#}\n")
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::*;

    fn unpainted(_: Tone, text: &str) -> String {
        text.to_owned()
    }

    fn checks() -> Vec<Check> {
        vec![
            Verdict::ok("free").of("port 5101 (inventory)", true),
            Verdict::bad("taken by python3 (pid 123)", "kill 123").of("port 5201 (order)", true),
            Verdict::note("not found").of("kind", false),
        ]
    }

    #[test]
    fn a_line_each_with_what_mends_it_and_a_sum() {
        let plain = text(Way::Lab, &checks(), unpainted);
        assert_eq!(
            plain,
            "\
ok    port 5101 (inventory)  free
bad   port 5201 (order)      taken by python3 (pid 123)
      mend: kill 123
note  kind                   not found

1 thing stands in the way of: lab
"
        );
    }

    #[test]
    fn the_sum_counts_what_stands_in_the_way() {
        let bad = || Verdict::bad("", "").of("it", true);
        for (checks, expected) in [
            (vec![], "This machine is ready for: kind\n"),
            (vec![bad()], "1 thing stands in the way of: kind\n"),
            (vec![bad(), bad()], "2 things stand in the way of: kind\n"),
            (vec![Verdict::bad("", "").of("it", false)], "This machine is ready for: kind\n"),
        ] {
            let text = text(Way::Kind, &checks, unpainted);
            assert!(text.ends_with(expected), "{text}");
        }
    }

    #[test]
    fn json_has_mend_only_where_something_is_to_be_mended() {
        let object: serde_json::Value = serde_json::from_str(&json(Way::Lab, &checks())).unwrap();
        let expected = json!({"way": "lab", "ok": false, "checks": [
            {"name": "port 5101 (inventory)", "status": "ok", "needed": true, "found": "free"},
            {"name": "port 5201 (order)", "status": "bad", "needed": true,
                "found": "taken by python3 (pid 123)", "mend": "kill 123"},
            {"name": "kind", "status": "note", "needed": false, "found": "not found"},
        ]});
        assert_eq!(object, expected);
    }
}
