//! Whether another machine's clock agrees with ours, by the `Date` of its answer.

use std::time::{Duration, SystemTime};

use super::check::Verdict;

/// Beyond this, spans of both machines do not line up.
const TOLERANCE: Duration = Duration::from_secs(2);

/// `Date` has whole seconds, cut off.
const RESOLUTION: Duration = Duration::from_secs(1);

/// Judges the `Date` of an answer by our own time before and after: what lies
/// within the exchange, or within a second that was cut off, agrees.
pub(super) fn verdict(date: Option<&str>, sent: SystemTime, received: SystemTime) -> Verdict {
    let Some(theirs) = date.and_then(read) else {
        return Verdict::note("not known: the answer has no Date that can be read");
    };
    let ahead = theirs.duration_since(received).unwrap_or_default();
    let behind = sent.duration_since(theirs + RESOLUTION).unwrap_or_default();
    let (gap, word) = if ahead > behind { (ahead, "ahead of") } else { (behind, "behind") };
    if gap <= TOLERANCE {
        Verdict::ok("agrees with ours")
    } else {
        let seconds = gap.as_secs();
        Verdict::bad(
            format!("at least {seconds} s {word} ours: spans of both would not line up"),
            "timedatectl set-ntp true",
        )
    }
}

/// Reads the one form of `Date` that is still sent
/// (<https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7>).
fn read(date: &str) -> Option<SystemTime> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<_> = date.split(' ').collect();
    let [_, day, month, year, time, "GMT"] = words[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    humantime::parse_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::super::check::Status;
    use super::*;

    /// The example of RFC 9110, in seconds since 1970.
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const SECONDS: f64 = 784_111_777.0;

    fn at(seconds: f64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_date_is_read_or_refused() {
        assert_eq!(read(DATE), Some(at(SECONDS)));
        for text in [
            "",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Now 1994 08:49:37 GMT",
            "Sun, 66 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 99999 08:49:37 GMT",
            "Sun, 0\u{e9} Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_whole_seconds_and_the_way_there_explain_agrees() {
        // When we sent and received, counted from their Date.
        for (sent, received, status, found) in [
            (0.0, 0.1, Status::Ok, "agrees"),
            (0.9, 1.1, Status::Ok, "agrees"),
            (3.0, 3.1, Status::Ok, "agrees"),
            (3.5, 3.6, Status::Bad, "at least 2 s behind ours"),
            (-2.0, -1.9, Status::Ok, "agrees"),
            (-2.5, -2.4, Status::Bad, "at least 2 s ahead of ours"),
            (-60.0, -59.0, Status::Bad, "at least 59 s ahead of ours"),
            (90.0, 91.0, Status::Bad, "at least 89 s behind ours"),
            // An answer that took long says little.
            (-10.0, 10.0, Status::Ok, "agrees"),
        ] {
            let verdict = verdict(Some(DATE), at(SECONDS + sent), at(SECONDS + received));
            assert_eq!(verdict.status, status, "{sent} {received}: {verdict:?}");
            assert!(verdict.found.starts_with(found), "{sent} {received}: {verdict:?}");
        }
    }

    #[test]
    fn without_a_date_nothing_is_claimed() {
        for date in [None, Some("yesterday")] {
            assert_eq!(verdict(date, at(0.0), at(0.0)).status, Status::Note);
        }
    }
}
