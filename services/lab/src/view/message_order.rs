//! Lines from the order of sending to the order of arrival; where two of them
//! cross, an answer has overtaken another.

use campuscafe_evidence::message_order::{MessageOrder, Ping};

/// Columns between the two sides.
const WIDTH: usize = 48;

/// Draws pings: sent on the left, answered on the right, ASCII only.
#[must_use]
pub(crate) fn draw(batch: &MessageOrder) -> Vec<String> {
    let pings = &batch.pings;
    let mut grid = vec![vec![' '; WIDTH]; (2 * pings.len()).saturating_sub(1)];
    for ping in pings {
        line(&mut grid, 2 * ping.sent, 2 * ping.completed);
    }
    let mut lines = vec![format!("  {:<6}{:WIDTH$}  answered", "sent", "")];
    lines.extend(grid.into_iter().enumerate().map(|(row, cells)| {
        let cells: String = cells.into_iter().collect();
        if row % 2 == 1 {
            return format!("  {:6}{cells}", "").trim_end().to_owned();
        }
        let arrived = pings.iter().find(|ping| 2 * ping.completed == row).map(arrival);
        format!("  {:>4}  {cells}  {}", row / 2 + 1, arrived.unwrap_or_default())
    }));
    lines
}

fn arrival(ping: &Ping) -> String {
    format!("{:>2} after {:>4} ms", ping.sent + 1, ping.after / 1_000_000)
}

/// A straight line over the whole width; a cell that another line has taken
/// becomes a crossing.
fn line(grid: &mut [Vec<char>], from: usize, to: usize) {
    let mut previous = from;
    for column in 0..WIDTH {
        // The ends run level, so that they meet their labels.
        let inner = column.clamp(2, WIDTH - 3) - 2;
        let span = WIDTH - 5;
        let row = (from * (span - inner) + to * inner + span / 2) / span;
        let stroke = match row.cmp(&previous) {
            std::cmp::Ordering::Less => '/',
            std::cmp::Ordering::Equal => '-',
            std::cmp::Ordering::Greater => '\\',
        };
        previous = row;
        if let Some(cell) = grid.get_mut(row).and_then(|row| row.get_mut(column)) {
            *cell = match *cell {
                ' ' => stroke,
                taken if taken == stroke => stroke,
                _ => 'X',
            };
        }
    }
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
        let lines = draw(&MessageOrder { pings, missing: Vec::new() });
        assert!(lines.iter().all(|line| line.is_ascii() && line.len() <= 80));
        lines.join("\n")
    }

    #[test]
    fn answers_in_order_are_level_lines() {
        insta::assert_snapshot!(batch(&[0, 1, 2]));
    }

    #[test]
    fn answers_that_overtake_cross() {
        insta::assert_snapshot!(batch(&[3, 0, 1, 5, 2, 4]));
    }

    #[test]
    fn the_first_that_comes_last_crosses_all_others() {
        insta::assert_snapshot!(batch(&[5, 0, 1, 2, 3, 4]));
    }
}
