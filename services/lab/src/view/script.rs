//! A script that was played: what was called and answered, the picture of all calls, and
//! what it came to.

use std::fmt::Write as _;

use campuscafe_evidence::calls::{Call, Calls, MOST_DRAWN, Served};
use campuscafe_evidence::from_spans::FromSpans as _;
use campuscafe_evidence::refusal::Refusal;
use serde_json::{Value as Json, json};

use super::columns::left;
use super::json::{commit, rests_on, value};
use super::svg::Words;
use super::text::{NAME, deltas, no_spans, only_ledger};
use super::voice::Voice;
use super::{diagram, keys};
use crate::lessons::{Asked, Played, reservations};
use crate::messages::{Language, Message, Value};
use crate::printable::printable;

/// A name and its value, as the text and the page show them in a row.
pub(crate) type Row = (Message, Value);

pub(super) fn text(played: &Played, readable: bool, voice: Voice) -> String {
    let mut text = asked(played, voice) + "\n";
    match &played.calls {
        Some(calls) => {
            for line in diagram::draw_calls(calls, voice.language) {
                let _ = writeln!(text, "{}", voice.tone(line.tone, &line.text));
            }
            if let Some(left_out) = left_out(calls) {
                let _ = writeln!(text, "  {}", voice.put(&left_out));
            }
            if !calls.is_complete() {
                text.push_str(&only_ledger("drawn-incomplete", voice));
            }
            text.push_str(&seen_stock(calls, voice));
        }
        None => text.push_str(&no_spans(true, readable, voice)),
    }
    let _ = write!(text, "\n{}\n", voice.say("ledger"));
    text.push_str(&rows(&facts(played), voice));
    if !played.keys.is_empty() {
        let _ = write!(text, "\n{}", keys::text(&played.keys, voice));
    }
    let _ = write!(text, "\n{}", deltas(&played.deltas, voice));
    text
}

/// What the script called itself, and what each call was answered.
pub(crate) fn asked(played: &Played, voice: Voice) -> String {
    let mut text = voice.say("script-asked") + "\n";
    if let Some(alike) = alike(played) {
        for (count, asked) in alike {
            let count = voice.put(&times(count));
            let (who, request) = (party(asked, voice.language), printable(&asked.request));
            let answer = voice.put(&asked.seen());
            let _ = writeln!(text, "  {count:>7}  {who}: {request}: {answer}");
        }
        return text;
    }
    for asked in &played.asked {
        let time = format!("{} ms", asked.sent_ms);
        let (who, request) = (party(asked, voice.language), printable(&asked.request));
        let line = format!("{who}: {request}");
        let _ = writeln!(text, "  {time:>7}  {}", line);
        let _ = writeln!(text, "  {:>7}  {}", "", voice.put(&answer(asked)));
    }
    text
}

/// The calls of a script that makes many: how many asked for the same and were answered
/// the same.
pub(crate) fn alike(played: &Played) -> Option<Vec<(usize, &Asked)>> {
    if played.asked.len() <= MOST_DRAWN {
        return None;
    }
    let mut alike: Vec<(usize, &Asked)> = Vec::new();
    for asked in &played.asked {
        let same = |it: &Asked| it.request == asked.request && it.end == asked.end;
        match alike.iter_mut().find(|(_, it)| same(it)) {
            Some((count, _)) => *count += 1,
            None => alike.push((1, asked)),
        }
    }
    Some(alike)
}

/// That something is there so many times.
pub(crate) fn times(count: usize) -> Message {
    Message::new("answers-count").with("count", count)
}

/// That so many calls are not drawn.
pub(crate) fn left_out(calls: &Calls) -> Option<Message> {
    let count = Some(calls.left_out()).filter(|count| *count > 0)?;
    Some(Message::new("calls-left-out").with("count", count))
}

/// What the commits of many calls read and wrote, in the order of time: how many of them
/// in a row did the same.
pub(crate) fn stock_seen(calls: &Calls) -> Vec<(usize, String)> {
    let mut seen: Vec<(usize, String)> = Vec::new();
    for (_, commit) in calls.commits().into_iter().filter(|_| calls.left_out() > 0) {
        let change = format!("{} -> {}", commit.before, commit.after);
        match seen.last_mut() {
            Some((count, last)) if *last == change => *count += 1,
            _ => seen.push((1, change)),
        }
    }
    seen
}

fn seen_stock(calls: &Calls, voice: Voice) -> String {
    let seen = stock_seen(calls);
    if seen.is_empty() {
        return String::new();
    }
    let row = |(count, change): (usize, String)| {
        let count = voice.put(&times(count));
        format!("  {count:>7}  {change}\n")
    };
    let rows: String = seen.into_iter().map(row).collect();
    format!("\n{}\n{rows}", voice.say("stock-seen"))
}

/// Who made a call.
pub(crate) fn party(asked: &Asked, language: Language) -> String {
    Words(language).lane(asked.from)
}

/// What a call was answered.
pub(crate) fn answer(asked: &Asked) -> Message {
    let id = match (&asked.end, &asked.says) {
        (Ok(_), Some(_)) => "script-answer-says",
        (Ok(_), None) => "script-answer",
        (Err("timeout"), _) => "script-timeout",
        (Err("connection_refused"), _) => "script-refused",
        (Err(_), _) => "script-lost",
    };
    let status = asked.end.map_or_else(|_| String::new(), |status| status.to_string());
    let says = asked.says.as_deref().map(says);
    Message::new(id)
        .with("status", status)
        .with("says", says.unwrap_or_else(|| Value::Text(String::new())))
        .with("after", asked.after)
}

/// A word of the services, in the language of its reader.
fn says(word: &str) -> Value {
    match Words::says(word) {
        Some(id) => Message::new(id).into(),
        None => printable(word).into_owned().into(),
    }
}

/// What the script came to, and what the inventory holds.
pub(crate) fn facts(played: &Played) -> Vec<Row> {
    let (before, after) = played.stock();
    let made =
        Message::new(if played.whole().is_some() { "cell-made" } else { "cell-made-in-total" })
            .with("made", reservations(played.reservations()))
            .with("item", printable(&played.item).into_owned())
            .with("before", before.to_string())
            .with("after", after.to_string());
    let gap = match played.gap() {
        0 => Message::new("gap-none"),
        more @ 1.. => Message::new("gap-more").with("made", reservations(more.unsigned_abs())),
        ..0 => Message::new("gap-false"),
    };
    let others = match played.taken_by_others() {
        0 => None,
        pieces => Some(("row-others", Message::new("cell-others").with("pieces", pieces))),
    };
    let own = [("row-knows", reservations(played.known)), ("row-made", made)];
    let own = own.into_iter().chain(others).chain([("row-gap", gap)]);
    let own = own.map(|(name, cell)| (Message::new(name), cell.into()));
    let own = own.into_iter().filter(|_| !played.is_about_a_price());
    played.facts.iter().cloned().chain(own).collect()
}

fn rows(rows: &[Row], voice: Voice) -> String {
    let line =
        |(name, cell): &Row| format!("  {}{}\n", left(&voice.put(name), NAME), voice.value(cell));
    rows.iter().map(line).collect()
}

/// The picture of its calls as one text, if there are spans.
pub(crate) fn picture(calls: &Calls, language: Language) -> String {
    diagram::draw_calls(calls, language).into_iter().map(|line| line.text + "\n").collect()
}

/// The blocks of a document that leaves the verdict open: a heading and a text for each.
pub(super) fn open(played: &Played) -> Vec<(&'static str, String)> {
    let (before, after) = played.stock();
    let item = &played.item;
    let mut stock =
        format!("{item} left before: {before}\n{item} left when all was at rest: {after}");
    if played.surplus > 0 {
        let _ = write!(stock, "\nordered before the script began: {}", played.surplus);
    }
    let facts = rows(&played.facts, Voice::ENGLISH);
    let drawn = played.calls.as_ref().map(|calls| picture(calls, Language::English));
    let drawn = drawn.map(|drawn| ("Diagram, drawn from the spans", drawn));
    let blocks = [("Calls and answers", asked(played, Voice::ENGLISH))];
    let keys = keys::text(&played.keys, Voice::ENGLISH);
    let more = [("Conclusions", facts), ("Ledger of the stock", stock), ("Keys", keys)];
    blocks.into_iter().chain(drawn).chain(more).filter(|(_, text)| !text.is_empty()).collect()
}

pub(super) fn json(played: &Played) -> Json {
    let calls = played.calls.as_ref();
    let (before, after) = played.stock();
    let facts = played.facts.iter().map(|(name, cell)| {
        json!({ "name": Voice::ENGLISH.put(name), "value": Voice::ENGLISH.value(cell) })
    });
    json!({
        "evidence": rests_on(calls),
        "lane": value(&played.lane),
        "traceIds": played.traces,
        "asked": played.asked.iter().map(asked_json).collect::<Vec<_>>(),
        "facts": facts.collect::<Vec<_>>(),
        "delivered": value(&played.delivered),
        "surplusOrdered": played.surplus,
        "keys": value(&played.keys),
        "ledger": {
            "item": played.item,
            "known": played.known,
            "reservations": played.reservations(),
            "stockBefore": before,
            "stockAfter": after,
            "gap": played.gap(),
        },
        "counters": value(&played.deltas),
        "calls": calls.map(|calls| {
            calls.calls.iter().map(|call| call_json(calls, call)).collect::<Vec<_>>()
        }),
        "commits": calls.map(commits).unwrap_or_default(),
        "diagram": calls.map(lines).unwrap_or_default(),
    })
}

fn asked_json(asked: &Asked) -> Json {
    json!({
        "from": asked.from.as_str(),
        "request": asked.request,
        "sentMs": asked.sent_ms,
        "afterMs": asked.after.as_millis(),
        "status": asked.end.ok(),
        "error": asked.end.err(),
        "says": asked.says,
    })
}

fn call_json(calls: &Calls, call: &Call) -> Json {
    json!({
        "number": call.number,
        "from": call.from.as_str(),
        "to": call.to.as_str(),
        "method": call.request.method,
        "route": call.request.route,
        "sentMs": calls.ms(call.sent),
        "endedMs": calls.ms(call.ended),
        "status": call.status(),
        "servedStatus": call.served.as_ref().and_then(|served| served.status),
        "replayed": call.served.as_ref().is_some_and(|served| served.replayed),
        "void": call.served.as_ref().is_some_and(Served::is_void),
        "refusal": call.served.as_ref().and_then(|served| served.refusal).map(Refusal::word),
    })
}

fn commits(calls: &Calls) -> Vec<Json> {
    let commits = calls.commits().into_iter();
    commits.map(|(number, it)| commit("call", number, calls.ms(it.at), it)).collect()
}

fn lines(calls: &Calls) -> Vec<String> {
    let drawn = diagram::draw_calls(calls, Language::English);
    drawn.into_iter().map(|line| line.text).collect()
}
