//! Pings as bars on one axis of time: sent together, answered one by one.

use campuscafe_evidence::message_order::{MessageOrder, Ping};

use super::columns::left;
use super::voice::Voice;

/// Columns of the axis.
const WIDTH: usize = 48;

/// Parts of the axis between two labels.
const PARTS: usize = 4;

/// Columns before the axis.
const NAME: usize = 8;

/// Draws pings in the order of sending.
#[must_use]
pub(crate) fn draw(batch: &MessageOrder, voice: Voice) -> Vec<String> {
    let pings = &batch.pings;
    let longest = pings.iter().map(|ping| ping.after / 1_000_000).max().unwrap_or_default();
    let end = end_of_axis(longest);
    let mut lines = vec![axis(end, voice)];
    lines.extend(pings.iter().map(|ping| bar(ping, end)));
    lines
}

/// The round number of milliseconds at which the axis ends.
fn end_of_axis(longest: u64) -> u64 {
    let rounds = (0..).map(|power| 10_u64.saturating_pow(power));
    let mut rounds = rounds.flat_map(|round| [1, 2, 5].map(|digit| round.saturating_mul(digit)));
    rounds.find(|round| *round >= longest.max(4)).unwrap_or(longest)
}

fn axis(end: u64, voice: Voice) -> String {
    let mut line = left(&format!("  {}", voice.say("pings-sent")), NAME);
    for part in 0..PARTS {
        let label = format!("{} ms", end * part as u64 / PARTS as u64);
        line.push_str(&format!("{label:<width$}", width = WIDTH / PARTS));
    }
    line.push_str(&format!("{:<9}{}", format!("{end} ms"), voice.say("pings-arrived")));
    line
}

fn bar(ping: &Ping, end: u64) -> String {
    let ms = ping.after / 1_000_000;
    let length =
        usize::try_from(ms.saturating_mul(WIDTH as u64) / end).unwrap_or(WIDTH).clamp(2, WIDTH);
    let bar = format!("[{}]", "=".repeat(length - 2));
    let name = format!("  #{}", ping.sent);
    format!("{name:NAME$}{bar:<WIDTH$}{ms:>5} ms {:>2}.", ping.completed + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(completed: &[usize]) -> String {
        let ping = |(sent, completed): (usize, &usize)| Ping {
            sent,
            completed: *completed,
            after: 300_000_000 * (*completed as u64 + 1),
        };
        let pings = completed.iter().enumerate().map(ping).collect();
        let lines = draw(&MessageOrder { pings, missing: Vec::new() }, Voice::ENGLISH);
        assert!(lines.iter().all(|line| line.is_ascii() && line.len() <= 80), "{lines:#?}");
        lines.join("\n")
    }

    #[test]
    fn answers_in_order_are_longer_and_longer_bars() {
        insta::assert_snapshot!(batch(&[0, 1, 2]));
    }

    #[test]
    fn answers_in_another_order_are_bars_of_other_lengths_and_numbers() {
        insta::assert_snapshot!(batch(&[3, 0, 1, 5, 2, 4]));
    }

    #[test]
    fn the_axis_ends_at_a_round_number_whatever_the_times_are() {
        for (longest, end) in [(0, 5), (3, 5), (7, 10), (110, 200), (1_799, 2_000), (2_001, 5_000)]
        {
            assert_eq!(end_of_axis(longest), end, "{longest}");
        }
        let slow = Ping { sent: 19, completed: 19, after: u64::MAX };
        assert!(bar(&slow, 2_000).is_ascii());
    }
}
