//! The shapes. What differs in colour differs in shape too.

use campuscafe_evidence::order_trace::Commit;
use maud::{Markup, html};

use super::tone::Tone;

/// Where a line passes over bars, from and to.
pub(super) type Over = Option<(i32, i32)>;

/// A message that arrives.
pub(super) fn arrow(from: i32, to: i32, y: i32, tone: Tone, over: Over) -> Markup {
    let back = if from < to { -9 } else { 9 };
    html! {
        g class={ "message " (tone.class()) } {
            (line(from, to + back / 2, y, over))
            path class="tip" d={ "M" (to) " " (y) "l" (back) "-5v10Z" } {}
        }
    }
}

/// Where a message that does not arrive breaks off.
pub(super) const fn broken_end(from: i32, to: i32) -> i32 {
    from + (to - from) * 3 / 4
}

/// A message that does not arrive.
pub(super) fn broken(from: i32, to: i32, y: i32, tone: Tone, over: Over) -> Markup {
    let end = broken_end(from, to);
    html! {
        g class={ "message broken " (tone.class()) } {
            (line(from, end, y, over))
            (cross(end, y, 5))
        }
    }
}

/// Over bars it has a ground of its own, so that it is seen to pass.
fn line(from: i32, to: i32, y: i32, over: Over) -> Markup {
    html! {
        @if let Some((from, to)) = over {
            path class="ground" d={ "M" (from) " " (y) "H" (to) } {}
        }
        path class="line" d={ "M" (from) " " (y) "H" (to) } {}
    }
}

fn cross(x: i32, y: i32, half: i32) -> Markup {
    let (left, top, side) = (x - half, y - half, 2 * half);
    html! {
        path class="cross" d={
            "M" (left) " " (top) "l" (side) " " (side) "m0-" (side) "l-" (side) " " (side)
        } {}
    }
}

/// A commit is a diamond; a late one has a ring around it; the second of an order is
/// two diamonds.
pub(super) fn commit(x: i32, y: i32, half: i32, commit: &Commit) -> Markup {
    let tone = if commit.duplicate { Tone::Doubled } else { Tone::Committed };
    let late = if commit.late { " late" } else { "" };
    let duplicate = if commit.duplicate { " duplicate" } else { "" };
    let apart = if commit.duplicate { half + 1 } else { 0 };
    html! {
        g class={ "mark commit" (late) (duplicate) " " (tone.class()) } {
            @if commit.late { path class="ring" d=(diamond(x, y, half + 6, apart)) {} }
            @if commit.duplicate {
                path class="diamond" d=(diamond(x, y - apart, half + 2, 0)) {}
            }
            path class="diamond" d=(diamond(x, y + apart, half + 2, 0)) {}
        }
    }
}

/// A diamond that is taller than wide by twice `more`.
fn diamond(x: i32, y: i32, half: i32, more: i32) -> String {
    let top = y - half - more;
    let side = 2 * more;
    format!("M{x} {top}l{half} {half}v{side}l-{half} {half}l-{half}-{half}v-{side}Z")
}

/// A number that changed, other than by a reservation.
pub(super) fn change(x: i32, y: i32) -> Markup {
    html! {
        g class="mark change committed" { circle class="disc" cx=(x) cy=(y) r="7" {} }
    }
}

/// Nothing was done, because it had been decided before.
pub(super) fn refused(x: i32, y: i32) -> Markup {
    html! {
        g class="mark refused confirmed" {
            circle class="disc" cx=(x) cy=(y) r="9" {}
            path class="hand" d={ "M" (x - 5) " " (y + 5) "l10-10" } {}
        }
    }
}

/// The process is gone.
pub(super) fn killed(x: i32, y: i32) -> Markup {
    html! {
        g class="mark killed failed" {
            circle class="disc" cx=(x) cy=(y) r="9" {}
            (cross(x, y, 5))
        }
    }
}

/// Another process is there.
pub(super) fn restarted(x: i32, y: i32) -> Markup {
    html! {
        g class="mark restarted plain" {
            path class="hand" d={ "M" (x - 8) " " (y + 7) "l8-14l8 14Z" } {}
        }
    }
}

/// From here on nobody waits.
pub(super) fn left(x: i32, y: i32, half: i32) -> Markup {
    html! {
        g class="mark left unknown" { path class="cap" d={ "M" (x - half - 4) " " (y) "h" (2 * half + 8) } {} }
    }
}

/// A clock for a timeout, a cross for a connection that is gone.
pub(super) fn given_up(x: i32, y: i32, reason: &str) -> Markup {
    html! {
        g class={ "mark given-up " (Tone::of_end(reason).class()) } {
            @if reason == "timeout" {
                circle class="disc" cx=(x) cy=(y) r="9" {}
                path class="hand" d={ "M" (x) " " (y - 5) "v5h4" } {}
            } @else { (cross(x, y, 6)) }
        }
    }
}

/// What the customer is told: a tick, a bar, or a question mark.
pub(super) fn outcome(x: i32, y: i32, tone: Tone) -> Markup {
    let sign = match tone {
        Tone::Confirmed => format!("M{} {y}l3 4l6-7", x - 5),
        Tone::Failed => format!("M{} {y}h10", x - 5),
        _ => format!("M{} {}a3 3 0 1 1 4 3q-1 1-1 2m0 3v1", x - 3, y - 2),
    };
    html! {
        g class={ "mark outcome " (tone.class()) } {
            circle class="disc" cx=(x) cy=(y) r="9" {}
            path class="hand" d=(sign) {}
        }
    }
}
