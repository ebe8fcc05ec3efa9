//! The spans of an order as a waterfall, with the log lines and the attributes of each.
//!
//! Everything is on the page. With a script, `linked.js` shows the attributes of the
//! chosen span only, and lights what belongs together here and in the picture.

use campuscafe_evidence::diagram::Diagram;
use campuscafe_evidence::flaw::Part;
use campuscafe_evidence::log_lines::LogLines;
use campuscafe_evidence::span::Span;
use campuscafe_evidence::waterfall::{Row, Waterfall};
use campuscafe_telemetry::attribute;
use maud::{Markup, html};

use super::Reader;
use super::logs::logs;
use crate::printable::printable;
use crate::view::svg::Words;

/// The deepest place that has an indent of its own: below a call, its service and a part
/// of its work.
const DEEPEST: usize = 3;

/// How wide all of the time is, in the units of a bar.
const WIDTH: u64 = 1000;

/// A bar that can still be seen.
const THINNEST: u64 = 4;

/// Where the spans of the picture of this number are.
pub(super) fn id(number: usize) -> String {
    format!("spans-{number}")
}

/// The spans of an order, if there are any.
pub(super) fn waterfall(
    reader: Reader,
    spans: &Waterfall,
    lines: &LogLines,
    drawn: &Diagram,
    number: usize,
) -> Markup {
    let of = |row: usize| format!("span-{number}-{row}");
    html! {
        @if !spans.rows.is_empty() {
            details class="card evidence" id=(id(number)) {
                summary { (reader.say("spans")) }
                div {
                    (table(reader, spans, drawn, of))
                    (logs(reader, spans, lines, drawn, of))
                    @for (place, row) in spans.rows.iter().enumerate() {
                        (attributes(reader, &row.span, drawn, &of(place)))
                    }
                }
            }
        }
    }
}

fn table(
    reader: Reader,
    spans: &Waterfall,
    drawn: &Diagram,
    of: impl Fn(usize) -> String,
) -> Markup {
    let time = Time::of(&spans.rows);
    html! {
        div class="scroll" tabindex="0" {
            table class="waterfall" {
                thead { tr {
                    th scope="col" { (reader.say("span-name")) }
                    th scope="col" { (reader.say("span-when")) }
                    th scope="col" class="duration" { (reader.say("span-start")) }
                    th scope="col" class="duration" { (reader.say("span-duration")) }
                } }
                tbody { @for (place, row) in spans.rows.iter().enumerate() {
                    (line(reader, row, drawn, &time, &of(place)))
                } }
            }
            @if spans.left_out > 0 {
                p class="hint" {
                    (reader.language.tell("spans-left-out", &[("count", spans.left_out.into())]))
                }
            }
        }
    }
}

/// One span: its bar in the picture is that of its attempt, and the steps that belong to
/// it are named by their numbers.
fn line(reader: Reader, row: &Row, drawn: &Diagram, time: &Time, attributes: &str) -> Markup {
    let Row { span, depth, part } = row;
    let moment = |ms| Words(reader.language).moment(ms);
    let (x, width) = time.bar(span);
    html! {
        tr data-span=(attributes) data-steps=(steps(row, drawn)) data-attempt=[part.attempt()] {
            th scope="row" class={ "depth-" (depth.min(&DEEPEST)) (tone(row)) } {
                a href={ "#" (attributes) } { (printable(&span.name)) }
                " " span class="hint" { (printable(&span.service)) }
            }
            td {
                svg viewBox={ "0 0 " (WIDTH) " 10" } preserveAspectRatio="none" aria-hidden="true" {
                    rect x=(x) width=(width) height="10" {}
                }
            }
            td class="duration" { (moment(drawn.ms(span.start))) }
            td class="duration" { (moment(span.end.saturating_sub(span.start) / 1_000_000)) }
        }
    }
}

/// The colour of a commit is that of its mark in the picture.
fn tone(row: &Row) -> &'static str {
    match row.part {
        Part::Commit(_) if row.span.flag(attribute::RESERVATION_DUPLICATE) => " doubled",
        Part::Commit(_) => " committed",
        _ => "",
    }
}

/// The numbers of the steps that belong to a span, from 0.
fn steps(row: &Row, drawn: &Diagram) -> String {
    let steps = drawn.steps.iter().enumerate();
    let own = steps.filter(|(_, step)| step.part() == Some(row.part));
    own.map(|(number, _)| number.to_string()).collect::<Vec<_>>().join(" ")
}

/// From the first span to the end of the last, in nanoseconds since 1970.
struct Time {
    from: u64,
    to: u64,
}

impl Time {
    fn of(rows: &[Row]) -> Self {
        let from = rows.iter().map(|row| row.span.start).min().unwrap_or_default();
        let to = rows.iter().map(|row| row.span.end).max().unwrap_or_default();
        Self { from, to }
    }

    /// Where the bar of a span begins, and how wide it is.
    fn bar(&self, span: &Span) -> (u64, u64) {
        let all = u128::from(self.to.saturating_sub(self.from)).max(1);
        let place = |at: u64| {
            let passed = u128::from(at.saturating_sub(self.from)) * u128::from(WIDTH);
            u64::try_from(passed / all).unwrap_or(WIDTH).min(WIDTH)
        };
        let x = place(span.start).min(WIDTH - THINNEST);
        (x, place(span.end).saturating_sub(x).max(THINNEST))
    }
}

/// What a span says of itself: its process, its attributes and its events.
fn attributes(reader: Reader, span: &Span, drawn: &Diagram, id: &str) -> Markup {
    let moment = |at| Words(reader.language).moment(drawn.ms(at));
    let instance = span.instance.iter().map(|instance| ("service.instance.id", instance.clone()));
    let process = [("service.name", span.service.clone())].into_iter().chain(instance);
    let own = span.attributes.iter().map(|(name, value)| (&**name, value.to_string()));
    let events = span.events.iter().map(|event| (&*event.name, moment(event.at)));
    html! {
        div class="scroll" id=(id) {
            h3 { (printable(&span.name)) }
            table class="attributes" {
                tbody { @for (name, value) in process.chain(own).chain(events) {
                    tr { th scope="row" { (printable(name)) } td { (printable(&value)) } }
                } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use campuscafe_evidence::from_spans::FromSpans as _;
    use campuscafe_evidence::span::Kind;
    use campuscafe_evidence::testing::{With as _, answer, double, order, span, unanswered};
    use campuscafe_evidence::waterfall::OrderSpans;

    use super::*;

    fn shown(spans: &[Span]) -> String {
        let read = OrderSpans::of(spans, &answer(spans, "slow,none")).unwrap();
        let drawn = Diagram::of(&read.order_trace);
        waterfall(Reader::default(), &read.waterfall, &LogLines::default(), &drawn, 1).into_string()
    }

    #[test]
    fn a_row_names_its_span_its_attempt_and_the_steps_that_belong_to_it() {
        let page = shown(&double());
        assert_eq!(page.matches("<tr data-span=").count(), 8, "{page}");
        for (attempt, class, rows) in [
            (1, "depth-1", 1),
            (1, "depth-2", 1),
            (1, "depth-3", 1),
            (1, "depth-3 doubled", 1),
            (2, "depth-1", 1),
            (2, "depth-3 committed", 1),
        ] {
            let row = format!("data-attempt=\"{attempt}\"><th scope=\"row\" class=\"{class}\"");
            assert_eq!(page.matches(&row).count(), rows, "{row} in {page}");
        }
        // The order's own: what arrives first, and what the customer is told.
        assert!(
            page.contains(
                "<tr data-span=\"span-1-0\" data-steps=\"0 7\"><th scope=\"row\" class=\"depth-0\""
            ),
            "{page}"
        );
        assert!(page.contains("<th scope=\"row\">client.disconnected</th><td>1,002 ms</td>"));
        assert!(page.contains("<th scope=\"row\">campuscafe.reservation.late</th><td>true</td>"));
    }

    #[test]
    fn without_a_script_each_row_leads_to_the_attributes_that_are_shown_below() {
        let page = shown(&double());
        let links = page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next());
        let links: Vec<_> = links.collect();
        assert_eq!(links.len(), 8);
        for id in links {
            assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
        }
        assert!(!page.contains(" hidden") && !page.contains(" style="), "{page}");
    }

    #[test]
    fn what_a_span_says_is_written_out_and_not_obeyed() {
        let evil = "<img onerror=x>\u{202e}\x1b[2J";
        let mut spans = vec![order(5, "unknown", 504), unanswered("one", 1..4, "timeout")];
        spans.push(span("more", "one", Kind::Internal, 2..3).text(evil, evil));
        for span in &mut spans {
            (span.name, span.service, span.instance) =
                (evil.to_owned(), evil.to_owned(), Some(evil.to_owned()));
        }
        let page = shown(&spans);
        assert!(!page.contains("<img") && !page.contains(['\u{202e}', '\x1b']), "{page}");
        assert_eq!(page.matches("&lt;img onerror=x&gt;\\u{202e}\\u{1b}[2J").count(), 17, "{page}");
    }

    #[test]
    fn a_bar_stays_within_the_whole_whatever_the_clocks_say() {
        let at = |start, end| Span { start, end, ..span("", "", Kind::Internal, 0..1) };
        let time = Time { from: 1_000, to: 2_000 };
        for (start, end, expected) in [
            (1_000, 2_000, (0, 1000)),
            (1_250, 1_500, (250, 250)),
            (1_250, 1_250, (250, 4)),
            (2_000, 2_000, (996, 4)),
            (1_500, 1_100, (500, 4)),
            (0, u64::MAX, (0, 1000)),
        ] {
            assert_eq!(time.bar(&at(start, end)), expected, "{start} to {end}");
        }
        assert_eq!(Time { from: 0, to: u64::MAX }.bar(&at(0, u64::MAX)), (0, 1000));
        assert_eq!(Time { from: 7, to: 7 }.bar(&at(7, 7)), (0, 4));
    }
}
