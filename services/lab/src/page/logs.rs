//! The log lines of an order, each with its span: `linked.js` lights both.

use campuscafe_evidence::diagram::Diagram;
use campuscafe_evidence::log_lines::{LogLine, LogLines};
use campuscafe_evidence::waterfall::Waterfall;
use maud::{Markup, html};

use super::Reader;
use crate::printable::printable;
use crate::view::svg::Words;

/// What is shown of a field: enough to tell ids apart.
const FIELD: usize = 16;

/// The log lines of the spans, in the order of time.
pub(super) fn logs(
    reader: Reader,
    spans: &Waterfall,
    lines: &LogLines,
    drawn: &Diagram,
    of: impl Fn(usize) -> String,
) -> Markup {
    let attempt = |line: &LogLine| spans.rows.get(line.row)?.part.attempt();
    let moment = |at| Words(reader.language).moment(drawn.ms(at));
    html! {
        div {
            h3 { (reader.say("logs")) }
            @if lines.lines.is_empty() { p class="hint" { (reader.say("logs-none")) } }
            ul class="logs" { @for line in &lines.lines {
                li data-span=(of(line.row)) data-attempt=[attempt(line)] {
                    a href={ "#" (of(line.row)) } { time { (moment(line.at)) } }
                    b lang="en" { (printable(&line.service)) }
                    span lang="en" {
                        @if is_grave(line) { strong { (printable(&line.severity)) } " " }
                        (printable(&line.message))
                        @for (name, value) in &line.fields {
                            " " span class="hint" { (printable(name)) "=" (short(&value.to_string())) }
                        }
                    }
                }
            } }
            @if lines.left_out > 0 {
                p class="hint" {
                    (reader.language.tell("logs-left-out", &[("count", lines.left_out.into())]))
                }
            }
        }
    }
}

/// Whether its severity is more than the usual one.
fn is_grave(line: &LogLine) -> bool {
    !matches!(&*line.severity, "" | "INFO" | "DEBUG" | "TRACE")
}

/// As much of a field as there is room for beside others.
fn short(value: &str) -> String {
    let safe = printable(value);
    match safe.char_indices().nth(FIELD) {
        Some((end, _)) => format!("{}…", &safe[..end]),
        None => safe.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use campuscafe_evidence::from_spans::FromSpans as _;
    use campuscafe_evidence::span::Value;
    use campuscafe_evidence::testing::{MS, START, answer, double};
    use campuscafe_evidence::waterfall::OrderSpans;

    use super::*;

    fn line(row: usize, message: &str) -> LogLine {
        LogLine {
            at: START + 1_003 * MS,
            service: "inventory".to_owned(),
            severity: "INFO".to_owned(),
            message: message.to_owned(),
            fields: [("left".to_owned(), Value::Int(9))].into(),
            row,
        }
    }

    fn shown(lines: &LogLines) -> String {
        let spans = double();
        let read = OrderSpans::of(&spans, &answer(&spans, "slow,none")).unwrap();
        let drawn = Diagram::of(&read.order_trace);
        let of = |row| format!("span-1-{row}");
        logs(Reader::default(), &read.waterfall, lines, &drawn, of).into_string()
    }

    #[test]
    fn a_line_has_its_time_its_service_and_what_it_says_and_leads_to_its_span() {
        let warned = LogLine { severity: "WARN".to_owned(), ..line(4, "Reserved AGAIN") };
        let page = shown(&LogLines { lines: vec![line(0, "Answers"), warned], left_out: 3 });
        for expected in [
            "<li data-span=\"span-1-0\"><a href=\"#span-1-0\"><time>1,003 ms</time></a>\
             <b lang=\"en\">inventory</b><span lang=\"en\">Answers <span class=\"hint\">left=9</span></span></li>",
            "<li data-span=\"span-1-4\" data-attempt=\"1\">",
            "<strong>WARN</strong> Reserved AGAIN",
            "3 more log lines of this trace are not shown.",
        ] {
            assert!(page.contains(expected), "no {expected} in {page}");
        }
    }

    #[test]
    fn where_there_are_no_lines_the_page_says_why() {
        let page = shown(&LogLines::default());
        assert!(page.contains("because the services export none"), "{page}");
        assert!(!page.contains("<li") && !page.contains("more log lines"), "{page}");
    }

    #[test]
    fn what_a_line_says_is_written_out_and_not_obeyed() {
        let evil = "<img onerror=x>\u{202e}\x1b[2J";
        let mut hostile = line(0, evil);
        (hostile.service, hostile.severity) = (evil.to_owned(), evil.to_owned());
        hostile.fields = [(evil.to_owned(), Value::Text(evil.to_owned()))].into();
        let page = shown(&LogLines { lines: vec![hostile], left_out: 0 });
        assert!(!page.contains("<img") && !page.contains(['\u{202e}', '\x1b']), "{page}");
        assert_eq!(page.matches("&lt;img onerror=x&gt;\\u{202e}\\u{1b}[2J").count(), 4, "{page}");
        assert!(page.contains("=&lt;img onerror=x&gt;\\…"), "a long field is cut: {page}");
    }
}
