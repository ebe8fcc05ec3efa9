//! The catalogue: for each pain its symptom, the trap, the first remedy, and a run that
//! shows it.

use maud::{Markup, html};

use super::frame::{Place, page};
use super::home::{Past, clock};
use super::{Case, Reader, compare};

/// Where the catalogue is.
pub(super) const PATH: &str = "/catalogue";

/// A pain of distribution. Its messages are `pain-`, `symptom-`, `trap-` and `remedy-`, each
/// with its name at the end.
struct Pain {
    name: &'static str,
    /// The case whose run shows it: the experiment, and the number of the trial.
    shown_by: (&'static str, usize),
    /// Lessons that show more of it.
    also: &'static [&'static str],
}

/// The four, in the order of the course.
const PAINS: [Pain; 4] = [
    Pain { name: "slow", shown_by: ("slow", 1), also: &["jitter", "policy"] },
    Pain { name: "cut", shown_by: ("cut", 2), also: &["doubt", "recover"] },
    Pain { name: "reorder", shown_by: ("reorder", 1), also: &["nature"] },
    Pain { name: "double", shown_by: ("double", 2), also: &["policy"] },
];

const PARTS: [&str; 3] = ["symptom", "trap", "remedy"];

/// The page; the runs are those of this sitting, the newest first.
pub(crate) fn catalogue(reader: Reader, runs: &[Past]) -> String {
    let title = reader.say("catalogue-title");
    let main = html! {
        section class="lesson" { header {
            h1 { (title) }
            p class="lead" { (reader.say("catalogue-lead")) }
        } }
        ol class="pains" { @for pain in &PAINS { (entry(reader, pain, runs)) } }
    };
    page(reader, &Place { path: PATH, lesson: None }, &title, &main)
}

fn entry(reader: Reader, pain: &Pain, runs: &[Past]) -> Markup {
    let name = pain.name;
    let case = Case::find(pain.shown_by.0, pain.shown_by.1);
    let also = pain.also.iter().filter_map(|name| Case::find(name, 1));
    html! {
        li class="card" id=(name) {
            h2 { (reader.say(&format!("pain-{name}"))) }
            dl { @for part in PARTS { div class=(part) {
                dt { (reader.say(&format!("catalogue-{part}"))) }
                dd { (reader.say(&format!("{part}-{name}"))) }
            } } }
            @if let Some(case) = case { (run_of(reader, case, runs)) }
            p class="hint" {
                (reader.say("catalogue-lessons"))
                @for lesson in case.into_iter().chain(also) {
                    " " a href=(lesson.path()) { (reader.say(&format!("name-{}", lesson.experiment.name))) }
                }
            }
            @if let Some(comparison) = case.and_then(|case| case.experiment.comparison()) {
                p class="hint" {
                    a href=(compare::path(comparison)) { (reader.say("catalogue-compare")) }
                }
            }
        }
    }
}

/// The button that runs the case, and the last run of its lesson.
fn run_of(reader: Reader, case: Case, runs: &[Past]) -> Markup {
    let last = runs.iter().find(|past| past.case.experiment.name == case.experiment.name);
    html! {
        p class="shown-by" { (reader.say(&case.message("trial"))) }
        form class="actions" method="post" action="/runs" {
            input type="hidden" name="experiment" value=(case.experiment.name);
            input type="hidden" name="trial" value=(case.number);
            button class="run" type="submit" { (reader.say("catalogue-run")) }
            @if let Some(past) = last {
                a href={ "/runs/" (past.id) } {
                    (reader.say("catalogue-last")) " "
                    time datetime=(past.began_at) { (clock(&past.began_at)) }
                }
                span { (reader.say(past.state)) }
            }
        }
    }
}

/// Every message that is named after a pain.
#[cfg(test)]
pub(super) fn messages() -> impl Iterator<Item = String> {
    let of = |pain: &Pain| {
        let name = pain.name;
        PARTS.into_iter().chain(["pain"]).map(move |part| format!("{part}-{name}"))
    };
    PAINS.iter().flat_map(of).chain(PARTS.map(|part| format!("catalogue-{part}")))
}
