//! A script that was played: the picture of its calls, what each was answered, and what it
//! came to. Below it stand the spans that it was read from, with their log lines.

use campuscafe_evidence::calls::Calls;
use campuscafe_evidence::diagram::Diagram;
use campuscafe_evidence::log_lines::LogLines;
use maud::{Markup, html};

use super::run::{controls, picture_id};
use super::{Reader, keys, waterfall};
use crate::lessons::Played;
use crate::printable::printable;
use crate::view::script;
use crate::view::svg::{self, Shape, Sheet, Words};

pub(super) fn script(reader: Reader, played: &Played, number: usize, lines: &LogLines) -> Markup {
    let drawn = played.diagram();
    html! {
        h2 id=(picture_id(number)) { (reader.say("picture")) }
        section class="stage" aria-label=(label(reader, number)) data-spans=(waterfall::id(number)) {
            @match (&played.calls, &drawn) {
                (Some(calls), Some(drawn)) => (picture(reader, calls, drawn, number)),
                _ => p class="card empty" { (reader.say("no-picture")) },
            }
            (asked(reader, played))
        }
        @if let Some(drawn) = &drawn {
            (waterfall::waterfall(reader, &played.waterfall, lines, drawn, number))
        }
        @if let Some(calls) = &played.calls {
            details class="card" {
                summary { (reader.say("picture-text")) }
                pre class="table" tabindex="0" { (script::picture(calls, reader.language)) }
            }
        }
        @if let Some(calls) = &played.calls { (stock_seen(reader, calls)) }
        (facts(reader, played))
        (keys::of_script(reader, played))
    }
}

/// On a page of many pictures each has a name of its own.
fn label(reader: Reader, number: usize) -> String {
    let name = reader.say("picture");
    if number > 1 { format!("{name} {number}") } else { name.into_owned() }
}

/// The picture of the calls, with the text of the terminal as its text.
pub(super) fn picture(reader: Reader, calls: &Calls, drawn: &Diagram, number: usize) -> Markup {
    let (words, text) = (Words(reader.language), script::picture(calls, reader.language));
    html! {
        figure class="card diagram" {
            @for (name, shape) in [("wide", Shape::Wide), ("narrow", Shape::Narrow)] {
                @let prefix = format!("{name}-{number}");
                (svg::draw(drawn, words, Sheet { prefix: &prefix, text: &text, shape }))
            }
            (svg::legend_of_calls(words, &format!("legend-{number}")))
            (controls(reader, drawn.steps.len()))
            @if let Some(left_out) = script::left_out(calls) {
                figcaption { (reader.language.put(&left_out)) }
            }
        }
    }
}

/// What the script called itself, and what each call was answered.
fn asked(reader: Reader, played: &Played) -> Markup {
    html! {
        section class="card know asked" {
            header { h2 { (reader.say("script-asked")) } }
            @if let Some(alike) = script::alike(played) {
                @for (count, asked) in alike { div class="who" {
                    h3 { (script::party(asked, reader.language)) }
                    p { (reader.language.put(&script::times(count))) " " code { (printable(&asked.request)) } }
                    p { (reader.language.put(&asked.seen())) }
                } }
            } @else {
                @for asked in &played.asked { div class="who" {
                    h3 { (script::party(asked, reader.language)) }
                    p { (Words(reader.language).moment(asked.sent_ms)) " " code { (printable(&asked.request)) } }
                    p { (reader.language.put(&script::answer(asked))) }
                } }
            }
        }
    }
}

/// What the commits of many calls read and wrote.
fn stock_seen(reader: Reader, calls: &Calls) -> Markup {
    let seen = script::stock_seen(calls);
    let heads = ["stock-seen-commits", "stock-seen-change"].map(|id| reader.say(id));
    html! {
        @if !seen.is_empty() {
            h2 { (reader.say("stock-seen")) }
            div class="scroll" { table class="sides" {
                thead { tr { @for head in &heads { th scope="col" { (head) } } } }
                tbody { @for (count, change) in seen { tr {
                    th scope="row" { (reader.language.put(&script::times(count))) }
                    td data-head=(heads[1]) { (change) }
                } } }
            } }
        }
    }
}

/// What it came to.
fn facts(reader: Reader, played: &Played) -> Markup {
    html! {
        h2 { (reader.say("ledger")) }
        div class="scroll" { table class="sides" { tbody {
            @for (name, cell) in script::facts(played) { tr {
                th scope="row" { (reader.language.put(&name)) }
                td { (cell.in_words(reader.language)) }
            } }
        } } }
    }
}
