//! What a person reads, and that nothing from outside can steer the terminal.

use std::sync::{Arc, Mutex};

use tracing_subscriber::prelude::*;

use super::*;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is written for the events of `log`.
fn lines(format: LogFormat, colour: bool, zone: TimeZone, log: impl FnOnce()) -> Vec<String> {
    let written = Written::default();
    let queue = LogQueue::new(written.clone());
    let layer = LogLayer { service: "inventory", format, colour, zone, queue: queue.clone() };
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
    queue.close(std::time::Duration::from_secs(5));
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn pretty(log: impl FnOnce()) -> Vec<String> {
    lines(LogFormat::Pretty, false, TimeZone::UTC, log)
}

const ORDER: &str = "order-e3966406b1c84c5c8b9fae57ac01d2c1";

#[test]
fn a_person_reads_the_sentence_and_short_ids_in_120_columns_and_a_machine_every_field() {
    let log = || {
        tracing::info!(
            request_id = ORDER,
            reservation_id = "0b54ad6f1c1f4ed9a7f3d5a3b8a4c2e1",
            late = true,
            "Reserved AGAIN: cake x1 (9 -> 8), LATE: the caller left 1.0 s ago"
        );
    };
    let text = pretty(log);
    let [line] = &text[..] else { panic!("one line: {text:?}") };
    assert_eq!(line.chars().count() + " trace 1f2e8a90".len(), WIDTH, "{line}");
    let (time, rest) = line.split_at(12);
    assert!(time.chars().all(|c| c.is_ascii_digit() || ":.".contains(c)), "{line}");
    assert_eq!(
        rest,
        " inventory Reserved AGAIN: cake x1 (9 -> 8), LATE: the caller left 1.0 s ago   \
         order-ac01d2c1"
    );
    let json = &lines(LogFormat::Json, false, TimeZone::UTC, log)[0];
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(json["request_id"], ORDER);
    assert_eq!(json["reservation_id"], "0b54ad6f1c1f4ed9a7f3d5a3b8a4c2e1");
    assert_eq!(json["late"], true);
}

#[test]
fn a_longer_text_goes_on_below_within_the_columns_and_nothing_of_it_is_lost() {
    let long = "word ".repeat(45);
    for with_id in [true, false] {
        let text = pretty(|| match with_id {
            true => tracing::info!(request_id = ORDER, "{}", long.trim()),
            false => tracing::warn!(stock = "cake=10", "{}", long.trim()),
        });
        assert!(
            text.len() > 1 && text.iter().all(|line| line.chars().count() <= WIDTH),
            "{text:#?}"
        );
        assert_eq!(text.join(" ").matches("word").count(), 45, "{text:#?}");
        assert!(text[1..].iter().all(|line| line.starts_with(&" ".repeat(START_WIDTH))));
        assert_eq!(text[0].contains("WARN"), !with_id);
        assert_eq!(text.join(" ").contains("stock=cake=10"), !with_id);
    }
    let unbroken = pretty(|| tracing::info!("{}", "日".repeat(200)));
    assert!(unbroken.iter().all(|line| line.chars().count() <= WIDTH), "{unbroken:#?}");
}

#[test]
fn the_time_is_that_of_the_zone() {
    let hour = |zone: &str| {
        let zone = TimeZone::get(zone).unwrap();
        let line = lines(LogFormat::Pretty, false, zone, || tracing::info!("now")).remove(0);
        line[..2].parse::<i32>().unwrap()
    };
    // Japan is nine hours ahead of UTC all year; an hour may end between the two.
    let ahead = (hour("Asia/Tokyo") - hour("UTC")).rem_euclid(24);
    assert!((9..=10).contains(&ahead), "{ahead}");
}

#[test]
fn only_late_and_doubled_commits_and_warnings_are_coloured_and_only_where_colour_is_wanted() {
    let log = |late: bool| move || tracing::info!(request_id = ORDER, late, "Reserved");
    for (colour, late, expected) in [(true, true, true), (true, false, false), (false, true, false)]
    {
        let line = lines(LogFormat::Pretty, colour, TimeZone::UTC, log(late)).remove(0);
        assert_eq!(line.contains('\x1b'), expected, "{line:?}");
    }
    let warning =
        lines(LogFormat::Pretty, true, TimeZone::UTC, || tracing::warn!("lost")).remove(0);
    assert!(warning.contains("\x1b[33mWARN lost\x1b[0m"), "{warning:?}");
}

#[test]
fn text_from_outside_begins_no_line_and_moves_no_cursor() {
    let evil = "cake\r\n12:00:00.000 inventory Reserved\x1b[2J";
    let text = pretty(|| {
        tracing::info!(request_id = ORDER, "Refused: {evil}");
        tracing::info!(item = evil, "refused");
    });
    assert!(text.iter().all(|line| !line.contains(['\r', '\x1b'])), "{text:?}");
    let begun = text.iter().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).count();
    assert_eq!(begun, 2, "{text:?}");
}
