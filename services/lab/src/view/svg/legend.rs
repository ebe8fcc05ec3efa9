//! What the signs of a diagram mean.

use campuscafe_evidence::order_trace::Commit;
use maud::{Markup, html};

use super::mark;
use super::tone::Tone;
use super::words::{Sign, Words};

const SIGNS: [Sign; 8] = [
    Sign::Waits,
    Sign::Works,
    Sign::Unheard,
    Sign::Commit,
    Sign::Late,
    Sign::Duplicate,
    Sign::Timeout,
    Sign::Lost,
];

/// A list of the signs with their words; the prefix is as in a [`super::Sheet`].
pub(crate) fn legend(words: Words, prefix: &str) -> Markup {
    list(words, prefix, SIGNS.into_iter())
}

/// The same for a diagram of an order with an idempotency key.
pub(crate) fn legend_of_keys(words: Words, prefix: &str) -> Markup {
    list(words, prefix, SIGNS.into_iter().chain([Sign::Refused]))
}

/// The same for one whose inventory was killed.
pub(crate) fn legend_of_crash(words: Words, prefix: &str) -> Markup {
    let more = [Sign::Refused, Sign::Killed, Sign::Restarted];
    list(words, prefix, SIGNS.into_iter().chain(more))
}

/// The same for a diagram that goes on.
pub(crate) fn legend_so_far(words: Words, prefix: &str) -> Markup {
    list(words, prefix, [Sign::Open].into_iter().chain(SIGNS))
}

/// The same for the calls of a script.
pub(crate) fn legend_of_calls(words: Words, prefix: &str) -> Markup {
    list(words, prefix, SIGNS.into_iter().chain([Sign::Change, Sign::Refused]))
}

fn list(words: Words, prefix: &str, signs: impl Iterator<Item = Sign>) -> Markup {
    let hatch = format!("{prefix}-legend-hatch");
    html! {
        ul class="legend" {
            @for sign in signs {
                li {
                    svg class="spacetime" viewBox="0 0 32 32" width="24" height="24" aria-hidden="true" {
                        (drawn(sign, &hatch))
                    }
                    (words.sign(sign))
                }
            }
        }
    }
}

fn drawn(sign: Sign, hatch: &str) -> Markup {
    let bar = |class| html! { rect class=(class) x="9" y="2" width="14" height="28" rx="3" {} };
    match sign {
        Sign::Waits => bar("wait"),
        Sign::Works => bar("work"),
        Sign::Open => bar("open"),
        Sign::Unheard => html! {
            defs { (super::hatch(hatch)) }
            g fill={ "url(#" (hatch) ")" } { (bar("unheard")) }
        },
        Sign::Commit => commit(false, false),
        Sign::Late => commit(true, false),
        Sign::Duplicate => commit(false, true),
        Sign::Change => mark::change(16, 16),
        Sign::Refused => mark::refused(16, 16),
        Sign::Killed => mark::killed(16, 16),
        Sign::Restarted => mark::restarted(16, 16),
        Sign::Timeout => mark::given_up(16, 16, "timeout"),
        Sign::Lost => mark::broken(32, -4, 16, Tone::Unknown, None),
    }
}

fn commit(late: bool, duplicate: bool) -> Markup {
    let commit =
        Commit { at: 0, item: String::new(), before: 0, after: 0, late, duplicate, lane: None };
    mark::commit(16, 16, 6, &commit)
}
