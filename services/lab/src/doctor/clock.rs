//! Whether another machine's clock agrees with ours, by the `Date` of its answer.

use std::time::{Duration, SystemTime};

use httpdate::parse_http_date;

use super::check::Check;

/// Beyond this, spans of both machines do not line up.
const TOLERANCE: Duration = Duration::from_secs(2);

/// `Date` has whole seconds, cut off.
const RESOLUTION: Duration = Duration::from_secs(1);

/// Compares the `Date` with our own time before and after the exchange. A time
/// within the exchange, or within the second that was cut off, agrees.
pub(super) fn judge(
    name: String,
    date: Option<&str>,
    sent: SystemTime,
    received: SystemTime,
) -> Check {
    let Some(theirs) = date.and_then(|date| parse_http_date(date).ok()) else {
        return Check::note(name, "unknown: the answer has no readable Date");
    };
    let ahead = theirs.duration_since(received).unwrap_or_default();
    let behind = sent.duration_since(theirs + RESOLUTION).unwrap_or_default();
    let (gap, word) = if ahead > behind { (ahead, "ahead of") } else { (behind, "behind") };
    if gap <= TOLERANCE {
        return Check::ok(name, "agrees with this machine's");
    }
    let seconds = gap.as_secs();
    let found =
        format!("at least {seconds} s {word} this machine's, so spans would not fit together");
    Check::bad(name, found, "timedatectl set-ntp true")
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
    fn a_gap_that_the_exchange_and_whole_seconds_explain_agrees() {
        // When we sent and received, counted from their Date.
        for (sent, received, status, found) in [
            (0.0, 0.1, Status::Ok, "agrees"),
            (0.9, 1.1, Status::Ok, "agrees"),
            (3.0, 3.1, Status::Ok, "agrees"),
            (3.5, 3.6, Status::Bad, "at least 2 s behind this machine's"),
            (-2.0, -1.9, Status::Ok, "agrees"),
            (-2.5, -2.4, Status::Bad, "at least 2 s ahead of this machine's"),
            (90.0, 91.0, Status::Bad, "at least 89 s behind this machine's"),
            // An answer that took long says little.
            (-10.0, 10.0, Status::Ok, "agrees"),
        ] {
            let (sent, received) = (at(SECONDS + sent), at(SECONDS + received));
            let check = judge("clock".to_owned(), Some(DATE), sent, received);
            assert_eq!(check.status, status, "{check:?}");
            assert!(check.found.starts_with(found), "{check:?}");
        }
        for date in [None, Some("yesterday")] {
            assert_eq!(judge(String::new(), date, at(0.0), at(0.0)).status, Status::Note);
        }
    }
}
