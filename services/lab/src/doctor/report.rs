//! The checks as text and as JSON.

use serde_json::json;

use super::Profile;
use super::check::{Check, Status};
use crate::view::style::Tone;

/// A line for each check, its fix below, and a summary.
pub(super) fn text(
    profile: Profile,
    checks: &[Check],
    paint: impl Fn(Tone, &str) -> String + Copy,
) -> String {
    let width = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
    let mut text: String = checks.iter().map(|check| line(check, width, paint)).collect();
    let name = profile.name();
    let (tone, summary) = match checks.iter().filter(|check| check.is_bad()).count() {
        0 => (Tone::Good, format!("This machine is ready for: {name}")),
        1 => (Tone::Bad, format!("Not ready for {name}: 1 problem")),
        n => (Tone::Bad, format!("Not ready for {name}: {n} problems")),
    };
    text.push_str(&format!("\n{}\n", paint(tone, &summary)));
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
    if let Some(fix) = &check.fix {
        line.push_str(&format!("      fix: {fix}\n"));
    }
    line
}

/// One JSON object with the same lines.
pub(super) fn json(profile: Profile, checks: &[Check]) -> String {
    let ok = !checks.iter().any(Check::is_bad);
    let object = json!({ "profile": profile.name(), "ok": ok, "checks": checks });
    format!("{object:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks() -> Vec<Check> {
        vec![
            Check::note("port 5101 (inventory)", "in use by CampusCafe"),
            Check::bad("port 5201 (order)", "in use by python3 (pid 123)", "kill 123"),
            Check::ok("kind", "/usr/bin/kind"),
        ]
    }

    #[test]
    fn each_check_is_a_line_with_its_fix_below_and_the_last_line_counts_the_problems() {
        let text = |checks: &[Check]| text(Profile::Kind, checks, |_, text| text.to_owned());
        assert_eq!(
            text(&checks()),
            "\
note  port 5101 (inventory)  in use by CampusCafe
bad   port 5201 (order)      in use by python3 (pid 123)
      fix: kill 123
ok    kind                   /usr/bin/kind

Not ready for kind: 1 problem
"
        );
        assert!(text(&[checks(), checks()].concat()).ends_with("Not ready for kind: 2 problems\n"));
        assert!(text(&checks()[..1]).ends_with("This machine is ready for: kind\n"));
    }

    #[test]
    fn json_has_a_fix_only_for_what_is_bad() {
        let object: serde_json::Value =
            serde_json::from_str(&json(Profile::Lab, &checks())).unwrap();
        let expected = json!({"profile": "lab", "ok": false, "checks": [
            {"name": "port 5101 (inventory)", "status": "note", "found": "in use by CampusCafe"},
            {"name": "port 5201 (order)", "status": "bad", "found": "in use by python3 (pid 123)",
                "fix": "kill 123"},
            {"name": "kind", "status": "ok", "found": "/usr/bin/kind"},
        ]});
        assert_eq!(object, expected);
    }
}
