//! The first page.

use maud::{Markup, html};

use super::frame::{Place, page};
use super::{Case, Reader, catalogue, quiz};

/// A run in one line.
pub(crate) struct Past {
    pub(crate) id: String,
    pub(crate) case: Case,
    /// Whether it was of this case alone.
    pub(crate) one_case: bool,
    pub(crate) began_at: String,
    /// The message that says how it is.
    pub(crate) state: &'static str,
}

/// The lessons, and the runs since the lab was started, newest first.
pub(crate) fn home(reader: Reader, runs: &[Past]) -> String {
    let say = |id: &str| reader.say(id);
    let main = html! {
        section class="lesson home" {
            header {
                h1 { (say("home-title")) }
                p class="lead" { (say("home-lead")) }
                p class="actions" {
                    a class="button run" href="/lessons/double/2" { (say("home-begin")) }
                    a class="button" href=(catalogue::PATH) { (say("catalogue-title")) }
                    a class="button" href=(quiz::PATH) { (say("quiz-title")) }
                }
            }
            aside class="card real" {
                h2 { (say("home-real")) }
                p { (say("home-real-body")) }
            }
        }
        h2 { (say("home-lessons")) }
        ol class="catalogue" { @for case in Case::lessons() { (entry(reader, case)) } }
        h2 { (say("home-runs")) }
        @if runs.is_empty() { p { (say("home-no-runs")) } }
        ul class="runs" {
            @for past in runs {
                li {
                    time datetime=(past.began_at) { (clock(&past.began_at)) }
                    a href={ "/runs/" (past.id) } {
                        (past.case.title(reader))
                        @if past.one_case && past.case.is_one_of_many() {
                            " · " (past.case.name(reader))
                        }
                        @if !past.one_case && past.case.experiment.is_comparison() {
                            " · " (say("compare-link"))
                        }
                    }
                    span { (say(past.state)) }
                }
            }
        }
    };
    page(reader, &Place { path: "/", lesson: None }, &say("home-title"), &main)
}

/// The time of day in a timestamp as RFC 3339 writes it.
pub(super) fn clock(timestamp: &str) -> String {
    timestamp.get(11..19).map_or_else(|| timestamp.to_owned(), |time| format!("{time} UTC"))
}

/// A lesson; the style sheet makes the whole of it the link.
fn entry(reader: Reader, case: Case) -> Markup {
    let cases = [("count", case.experiment.trials.len().into())];
    html! {
        li class="card" {
            h3 { a href=(case.path()) {(case.title(reader))} }
            p { (reader.say(&case.message("trial"))) }
            p class="hint" {
                @if case.request().is_some() || case.is_free() { (reader.language.tell("home-cases", &cases)) }
                @else if case.experiment.storm().is_some() { (reader.say("home-storm")) }
                @else { (reader.say("home-table")) }
            }
        }
    }
}
