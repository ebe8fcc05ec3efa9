//! What was decided under idempotency keys: key, state, age and what it holds.

use campuscafe_api::inventory::Key;

use super::columns::left;
use super::voice::Voice;
use crate::messages::{Message, Value};
use crate::printable::printable;

/// Digits of a key that are shown: its last ones differ.
const DIGITS: usize = 8;

/// Columns of the keys in a terminal.
const KEY: usize = 24;

/// A key with its kind and its last digits only.
pub(crate) fn short(key: &str) -> String {
    match key.char_indices().rev().nth(DIGITS - 1) {
        Some((at, _)) if at > DIGITS => {
            let end = key.get(at..).unwrap_or(key);
            let begin = key.split('-').next().unwrap_or_default();
            printable(&format!("{begin}-…{end}")).into_owned()
        }
        _ => printable(key).into_owned(),
    }
}

/// How long ago it was decided.
pub(crate) fn age(key: &Key) -> Message {
    Message::new("key-seconds").with("seconds", key.age_ms / 1_000)
}

/// What it holds, or held before it was cancelled.
pub(crate) fn holds(key: &Key) -> Message {
    match &key.reservation {
        Some(held) => Message::new("key-reservation")
            .with("item", printable(&held.item_id).into_owned())
            .with("quantity", Value::Number(held.quantity)),
        None => Message::new("key-nothing"),
    }
}

/// A line for each key; nothing if there are none.
pub(super) fn text(keys: &[Key], voice: Voice) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let line = |key: &Key| {
        let told = Message::new("key-line")
            .with("state", Message::new(format!("says-{}", key.state.as_str())))
            .with("age", age(key))
            .with("holds", holds(key));
        format!("  {}{}\n", left(&short(&key.key), KEY), voice.put(&told))
    };
    let lines: String = keys.iter().map(line).collect();
    format!("{}\n{lines}", voice.say("keys"))
}

#[cfg(test)]
mod tests {
    use campuscafe_api::inventory::{KeyState, Reservation};

    use super::*;
    use crate::messages::Language;
    use crate::view::columns::{WIDTH, width};

    #[test]
    fn a_key_is_shown_by_its_kind_and_its_last_digits() {
        assert_eq!(short("order-019ad4c1f4007b4f8f9a3b1c2d3e4f5a"), "order-…2d3e4f5a");
        assert_eq!(short("tea"), "tea");
    }

    #[test]
    fn each_key_is_a_line_with_its_state_its_age_and_what_it_holds() {
        let reservation = Reservation {
            reservation_id: "1".to_owned(),
            item_id: "cake\x1b[2J".to_owned(),
            quantity: 1,
        };
        let states = [KeyState::Reserved, KeyState::Refused, KeyState::Cancelled, KeyState::Void];
        let keys = states.map(|state| Key {
            key: "lesson-019ad4c1f4007b4f8f9a3b1c2d3e4f5a".to_owned(),
            state,
            age_ms: 1_999,
            reservation: (state == KeyState::Reserved).then(|| reservation.clone()),
        });
        let told = text(&keys, Voice::ENGLISH);
        let expected = "What was decided under the keys
  lesson-…2d3e4f5a        reserved, 1 s old, holds cake\\u{1b}[2J x1
  lesson-…2d3e4f5a        refused, 1 s old, holds nothing
  lesson-…2d3e4f5a        cancelled, 1 s old, holds nothing
  lesson-…2d3e4f5a        void, 1 s old, holds nothing
";
        assert_eq!(told, expected);
        let japanese = text(&keys, Voice::plain(Language::Japanese));
        assert!(japanese.contains("無効") && !japanese.contains("says-"), "{japanese}");
        assert!(japanese.lines().all(|line| width(line) <= WIDTH), "{japanese}");
        assert_eq!(text(&[], Voice::ENGLISH), "", "nothing is said of keys where there are none");
    }
}
