//! An order that was not placed by a run, or by one of many orders: drawn from its trace.

use campuscafe_evidence::log_lines::LogLines;
use campuscafe_evidence::waterfall::OrderSpans;
use maud::html;

use super::Reader;
use super::frame::{Place, page};
use super::run::picture;
use crate::lessons;

/// The page of a trace, and of the run that it belongs to, if that is kept.
pub(crate) fn trace(
    reader: Reader,
    id: &str,
    read: &OrderSpans,
    lines: &LogLines,
    run: Option<&str>,
) -> String {
    let title = reader.say("trace-title");
    let flaws = lessons::flaws(&read.order_trace.flaws);
    let main = html! {
        section class="lesson" { header {
            h1 { (title) }
            p class="lead" { (reader.say("trace-lead")) }
        } }
        @if !flaws.is_empty() {
            p class="notice" { (reader.say("trace-incomplete")) }
            ul class="hint" { @for flaw in &flaws { li { (reader.language.put(flaw)) } } }
        }
        (picture(reader, &read.order_trace, &read.waterfall, 1, lines))
        h2 { (reader.say("links")) }
        p class="links" {
            @if let Some(run) = run { a href={ "/runs/" (run) } { (reader.say("trace-run")) } }
            a href={ "/api/traces/" (id) } { (reader.say("trace-json")) }
        }
    };
    page(reader, &Place { path: &format!("/traces/{id}"), lesson: None }, &title, &main)
}
