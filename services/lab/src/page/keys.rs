//! What was decided under idempotency keys, as a table.

use campuscafe_api::inventory::Key;
use maud::{Markup, html};

use super::Reader;
use crate::lessons::Played;
use crate::printable::printable;
use crate::view::keys::{age, holds, short};

/// As the inventory tells them now; nothing if there are none.
pub(super) fn now(reader: Reader, keys: &[Key]) -> Markup {
    html! { @if !keys.is_empty() { (section(reader, keys, "keys-now")) } }
}

/// Those that the calls of a script carried, as they were when it was over.
pub(super) fn of_script(reader: Reader, played: &Played) -> Markup {
    let hint = if played.keys.is_empty() { "keys-none" } else { "keys-then" };
    section(reader, &played.keys, hint)
}

fn section(reader: Reader, keys: &[Key], hint: &str) -> Markup {
    html! {
        section class="card keys" {
            h2 { (reader.say("keys")) }
            p class="hint" { (reader.say(hint)) }
            @if !keys.is_empty() { (table(reader, keys)) }
        }
    }
}

fn table(reader: Reader, keys: &[Key]) -> Markup {
    let heads = ["key-key", "key-state", "key-age", "key-holds"].map(|id| reader.say(id));
    html! {
        div class="scroll" { table class="sides" {
            thead { tr { @for head in &heads { th scope="col" { (head) } } } }
            tbody { @for key in keys { tr {
                th scope="row" { code title=(printable(&key.key)) { (short(&key.key)) } }
                td data-head=(heads[1]) { (reader.say(&format!("key-{}", key.state.as_str()))) }
                td data-head=(heads[2]) { (reader.language.put(&age(key))) }
                td data-head=(heads[3]) { (reader.language.put(&holds(key))) }
            } } }
        } }
    }
}
