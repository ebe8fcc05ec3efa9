//! The log lines of an order: those that the services wrote within its spans.
//!
//! Anybody may send log records into a trace, so only those of the spans that are kept are
//! kept, and only so many.

use std::collections::{BTreeMap, HashMap};

use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, LogsData};

use crate::span::{Process, Value, attributes, hex};
use crate::waterfall::Waterfall;

/// Lines that are kept of one order.
pub const MAX_LINES: usize = 200;

/// Bytes of text that are kept of one order.
pub const MAX_TEXT: usize = 64 * 1024;

/// The longest message, and the longest text in a field, in bytes; a longer one is cut.
const MAX_PART: usize = 256;

/// The log lines of an order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogLines {
    /// In the order of time.
    pub lines: Vec<LogLine>,
    /// Lines of its trace that are not among them: they are too many, or belong to no span
    /// that is kept.
    pub left_out: usize,
}

/// A line that a service wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// When, in nanoseconds since 1970.
    pub at: u64,
    /// `service.name` of the process that wrote it.
    pub service: String,
    /// How grave it is, for example `INFO`.
    pub severity: String,
    /// What it says.
    pub message: String,
    /// By name.
    pub fields: BTreeMap<String, Value>,
    /// The place of its span among the rows of the waterfall.
    pub row: usize,
}

impl LogLines {
    /// The lines that belong to these spans.
    #[must_use]
    pub fn of(data: &LogsData, spans: &Waterfall) -> Self {
        let rows = spans.rows.iter().enumerate().map(|(place, row)| (&*row.span.id, place));
        let rows: HashMap<&str, usize> = rows.collect();
        let (mut all, mut left_out) = (Vec::new(), 0);
        for group in &data.resource_logs {
            let service = Process::of(group.resource.as_ref()).service;
            for record in group.scope_logs.iter().flat_map(|scope| &scope.log_records) {
                match rows.get(&*hex(&record.span_id)) {
                    Some(row) => all.push(LogLine::of(record, cut(&service), *row)),
                    None => left_out += 1,
                }
            }
        }
        all.sort_by_key(|line| line.at);
        let mut text = 0;
        let fits = |line: &LogLine| {
            text += line.length();
            text <= MAX_TEXT
        };
        let count = all.len();
        let lines: Vec<_> = all.into_iter().take(MAX_LINES).take_while(fits).collect();
        left_out += count - lines.len();
        Self { lines, left_out }
    }

    /// How many lines have come, those that are left out among them.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lines.len() + self.left_out
    }
}

impl LogLine {
    fn of(record: &LogRecord, service: String, row: usize) -> Self {
        let at = match record.time_unix_nano {
            0 => record.observed_time_unix_nano,
            at => at,
        };
        let mut fields = attributes(&record.attributes);
        for value in fields.values_mut() {
            if let Value::Text(text) = value {
                *text = cut(text);
            }
        }
        let message = cut(&body(record.body.as_ref()));
        Self { at, service, severity: severity(record), message, fields, row }
    }

    /// The bytes of everything in it that may be long.
    fn length(&self) -> usize {
        let fields = self.fields.iter().map(|(name, value)| {
            name.len() + if let Value::Text(text) = value { text.len() } else { size_of::<Value>() }
        });
        self.service.len() + self.severity.len() + self.message.len() + fields.sum::<usize>()
    }
}

/// The beginning of a text that is long.
fn cut(text: &str) -> String {
    let kept = &text[..text.floor_char_boundary(MAX_PART)];
    if kept.len() < text.len() { format!("{kept}…") } else { kept.to_owned() }
}

/// What a body says that is text or a number; the services write nothing else.
fn body(body: Option<&AnyValue>) -> String {
    match body.and_then(|body| body.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        Some(any_value::Value::BoolValue(flag)) => flag.to_string(),
        Some(any_value::Value::DoubleValue(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// The word of the sender, or else that of the number, after
/// <https://opentelemetry.io/docs/specs/otel/logs/data-model/#severity-fields>.
fn severity(record: &LogRecord) -> String {
    let of_number = match record.severity_number {
        1..=4 => "TRACE",
        5..=8 => "DEBUG",
        9..=12 => "INFO",
        13..=16 => "WARN",
        17..=20 => "ERROR",
        21..=24 => "FATAL",
        _ => "",
    };
    if record.severity_text.is_empty() { of_number.to_owned() } else { cut(&record.severity_text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flaw::Part;
    use crate::span::Kind;
    use crate::testing::{START, WithField as _, logs, record, span};
    use crate::waterfall::Row;

    /// Two spans.
    fn spans() -> Waterfall {
        let row =
            |id: &str| Row { span: span(id, "", Kind::Server, 0..1), depth: 0, part: Part::Order };
        let rows = ["0000000000000001", "0000000000000002"].map(row);
        Waterfall { rows: rows.into(), left_out: 0 }
    }

    fn of(records: Vec<LogRecord>) -> LogLines {
        LogLines::of(&logs("inventory", records), &spans())
    }

    #[test]
    fn the_lines_of_an_order_are_in_the_order_of_time_and_know_their_spans() {
        let warned = LogRecord { severity_number: 13, ..record(2, "second", 7) };
        let all = of(vec![warned, record(1, "first", 3)]);
        let told: Vec<_> = all
            .lines
            .iter()
            .map(|it| (it.at - START, &*it.message, &*it.severity, it.row))
            .collect();
        assert_eq!(told, [(3_000_000, "first", "INFO", 0), (7_000_000, "second", "WARN", 1)]);
        assert!(all.lines.iter().all(|line| line.service == "inventory"));
        assert_eq!((all.left_out, all.count()), (0, 2));
    }

    #[test]
    fn a_line_of_no_span_of_the_order_is_counted_and_not_kept() {
        let nowhere = LogRecord { span_id: vec![], ..record(1, "nowhere", 1) };
        let all = of(vec![record(3, "elsewhere", 1), nowhere, record(1, "here", 1)]);
        assert_eq!((all.lines.len(), all.left_out, all.count()), (1, 2, 3));
        assert_eq!(all.lines[0].message, "here");
    }

    #[test]
    fn a_flood_of_lines_or_of_text_is_counted_and_not_kept() {
        let many = of((0..300).map(|at| record(1, "more", at)).collect());
        assert_eq!((many.lines.len(), many.left_out), (MAX_LINES, 100));
        assert_eq!(many.lines[199].at, START + 199_000_000, "the first ones are kept");

        let long = "ä".repeat(1_000);
        let fields = (0..20).map(|number| format!("field {number}"));
        let wide = fields.fold(record(1, &long, 1), |wide, name| wide.with_field(&name, &long));
        let big = of(vec![wide; 20]);
        assert_eq!(big.lines[0].message, "ä".repeat(128) + "…");
        assert_eq!(big.lines[0].fields["field 0"], Value::Text("ä".repeat(128) + "…"));
        assert_eq!((big.lines.len(), big.count()), (11, 20), "of about 5.6 kB each");
    }
}
