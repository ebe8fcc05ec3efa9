//! The first page.

use maud::html;

use super::frame::page;
use super::{Case, Reader};

/// A run in one line.
pub(crate) struct Past {
    pub(crate) id: String,
    pub(crate) case: Case,
    pub(crate) began_at: String,
    /// The message that says how it is.
    pub(crate) state: &'static str,
}

/// The lessons, and the runs since the lab was started, newest first.
pub(crate) fn home(reader: Reader, runs: &[Past]) -> String {
    let say = |id: &str| reader.say(id);
    let main = html! {
        section class="lesson" { header {
            h1 { (say("home-title")) }
            p class="lead" { (say("home-lead")) }
        } }
        h2 { (say("home-lessons")) }
        ol class="catalogue" {
            @for case in Case::lessons() {
                li class="card" {
                    div {
                        h3 { (say(&format!("lesson-{}", case.experiment.name))) }
                        p { (say(&case.message("trial"))) }
                    }
                    a class="button" href=(case.path()) { (say("open")) }
                }
            }
        }
        section class="card real" {
            h2 { (say("home-real")) }
            p { (say("home-real-body")) }
        }
        h2 { (say("home-runs")) }
        @if runs.is_empty() { p { (say("home-no-runs")) } }
        ul class="runs" {
            @for past in runs {
                li {
                    time datetime=(past.began_at) { (past.began_at) }
                    a href={ "/runs/" (past.id) } {
                        (say(&format!("lesson-{}", past.case.experiment.name)))
                    }
                    span { (say(past.state)) }
                }
            }
        }
    };
    page(reader, "/", &say("home-title"), &main)
}
