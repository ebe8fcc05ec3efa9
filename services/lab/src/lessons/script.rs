//! Lessons that are a script of calls: what was called and answered, what the spans tell of
//! it, and what the inventory holds.

use std::time::Duration;

use campuscafe_api::inventory::{Key, State};
use campuscafe_api::order::Lane;
use campuscafe_evidence::calls::{Call, Calls, ChangeKind, Effect, Served};
use campuscafe_evidence::counters::Counters;
use campuscafe_evidence::diagram::{self, Diagram};
use campuscafe_evidence::flaw::Flaw;
use campuscafe_evidence::from_spans::FromSpans as _;
use campuscafe_evidence::order::Delivered;
use campuscafe_evidence::waterfall::Waterfall;

use super::Verdict;
use super::words::{flaws, instead, reservations};
use crate::messages::{Message, Value};

/// A script; `run/scripts` has a file for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    Settle,
    Overtake,
    Doubleclick,
    Notify,
    Stale,
    Oversell,
}

impl Script {
    /// Pieces that the stock must have when one person plays it.
    pub(crate) const fn pieces(self) -> u64 {
        match self {
            Self::Settle | Self::Overtake | Self::Doubleclick | Self::Notify => 2,
            Self::Stale => 0,
            Self::Oversell => super::THERE_ARE,
        }
    }
}

/// A script that was played.
pub(crate) struct Played {
    pub(crate) lane: Lane,
    /// What is ordered in it.
    pub(crate) item: String,
    /// The calls of the script itself, in the order in which they were sent.
    pub(crate) asked: Vec<Asked>,
    /// Where its spans are; those of its own calls are in the first.
    pub(crate) traces: Vec<String>,
    /// What the spans tell.
    pub(crate) calls: Option<Calls>,
    /// The spans themselves.
    pub(crate) waterfall: Waterfall,
    /// What keeps the spans from being whole evidence.
    pub(crate) incomplete: Vec<Flaw>,
    pub(crate) before: State,
    pub(crate) after: State,
    /// Reservations that the customer knows of.
    pub(crate) known: u64,
    pub(crate) deltas: Counters,
    /// What it came to: a name and a value for each row.
    pub(crate) facts: Vec<(Message, Value)>,
    pub(crate) delivered: Option<Delivered>,
    /// What was decided under the idempotency keys that its calls carried, as the inventory
    /// told it when the script was over.
    pub(crate) keys: Vec<Key>,
    /// Pieces that were ordered before it began, because it needs an exact stock.
    pub(crate) surplus: u64,
}

/// A call of the script itself, and what it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Who is played.
    pub(crate) from: diagram::Lane,
    /// Method and path, as a person writes them.
    pub(crate) request: String,
    /// When it was sent, in milliseconds after the first call.
    pub(crate) sent_ms: u64,
    /// How long it took.
    pub(crate) after: Duration,
    /// The HTTP status, or why there is none: `timeout`, `connection_lost` or
    /// `connection_refused`.
    pub(crate) end: Result<u16, &'static str>,
    /// What the answer said in a word of the services, such as `void`.
    pub(crate) says: Option<String>,
}

impl Asked {
    /// Whether the answer has this status and says this word.
    pub(crate) fn is_answered(&self, status: u16, says: &str) -> bool {
        self.end == Ok(status) && self.says.as_deref() == Some(says)
    }

    pub(crate) fn timed_out(&self) -> bool {
        self.end == Err("timeout")
    }
}

impl Played {
    /// What the spans tell, if it is all there.
    pub(crate) fn whole(&self) -> Option<&Calls> {
        self.calls.as_ref().filter(|calls| calls.is_complete())
    }

    /// The picture, as far as there are spans.
    pub(crate) fn diagram(&self) -> Option<Diagram> {
        self.calls.as_ref().map(Diagram::of_calls)
    }

    /// Reservations that are there because of the script. Complete spans know better than
    /// totals, as others may be ordering too.
    pub(crate) fn reservations(&self) -> u64 {
        let Some(calls) = self.whole() else {
            return self.after.reservations.saturating_sub(self.before.reservations);
        };
        let effects = calls.effects();
        let count = |is: fn(&Effect) -> bool| effects.iter().filter(|(_, it)| is(it)).count();
        let made = count(|effect| matches!(effect, Effect::Reserved(_)));
        let gone = count(
            |effect| matches!(effect, Effect::Changed(it) if it.kind == ChangeKind::Cancelled),
        );
        made.saturating_sub(gone) as u64
    }

    /// Whether it is about a price, so that a ledger of reservations would say nothing.
    pub(crate) fn is_about_a_price(&self) -> bool {
        self.asked.iter().any(|asked| asked.request.ends_with("/price"))
    }

    /// Whether an attempt found its key void. Without spans nobody can say, and then a verdict
    /// rests on what the inventory holds.
    pub(crate) fn found_void(&self) -> bool {
        let is_void = |call: &Call| call.served.as_ref().is_some_and(Served::is_void);
        self.calls.as_ref().is_none_or(|calls| calls.calls.iter().any(is_void))
    }

    /// Pieces of the item that are left before and after it.
    pub(crate) fn stock(&self) -> (u64, u64) {
        let left = |state: &State| state.stock.get(&self.item).copied().unwrap_or(0);
        (left(&self.before), left(&self.after))
    }

    /// Pieces that others took meanwhile, as far as complete spans tell its own: each of its
    /// reservations is of one piece.
    pub(crate) fn taken_by_others(&self) -> u64 {
        let (before, after) = self.stock();
        let own = self.whole().map(|_| self.reservations());
        own.map_or(0, |own| before.saturating_sub(after).saturating_sub(own))
    }

    /// Reservations that no customer knows of; negative if one knows of more than there are.
    pub(crate) fn gap(&self) -> i64 {
        self.reservations().cast_signed().saturating_sub(self.known.cast_signed())
    }

    /// The verdict: `told` holds if the answers are as promised, `held` if what the
    /// inventory did is.
    pub(crate) fn verdict(&self, told: bool, held: bool, why: impl FnOnce() -> Message) -> Verdict {
        Verdict::of(told, held, flaws(&self.incomplete), || {
            if told && held { why() } else { self.seen() }
        })
    }

    /// What was seen instead.
    fn seen(&self) -> Message {
        let answers: Vec<_> = self.asked.iter().map(Asked::seen).collect();
        instead(
            Message::new("seen-script")
                .with("answers", Value::List(answers, "comma"))
                .with("made", reservations(self.reservations())),
        )
    }
}

impl Asked {
    /// What it was answered, without its time.
    pub(crate) fn seen(&self) -> Message {
        match &self.end {
            Ok(status) => Message::new("seen-answer").with("status", status.to_string()),
            Err(_) => Message::new("seen-no-answer"),
        }
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use campuscafe_attributes as attribute;
    use campuscafe_evidence::span::{Kind, Value as SpanValue};
    use campuscafe_evidence::testing::{With as _, span};

    use super::*;

    /// A script that was played with nothing to it: ten cakes, and no call.
    pub(crate) fn played(lane: Lane) -> Played {
        let state = State { stock: [("cake".to_owned(), 10)].into(), reservations: 0 };
        Played {
            lane,
            item: "cake".to_owned(),
            asked: Vec::new(),
            traces: Vec::new(),
            calls: None,
            waterfall: Waterfall::default(),
            incomplete: Vec::new(),
            before: state.clone(),
            after: state,
            known: 0,
            deltas: Counters::new(),
            facts: Vec::new(),
            delivered: None,
            keys: Vec::new(),
            surplus: 0,
        }
    }

    /// The calls of a script: an attempt that nobody waited for, and that found its key
    /// void, or did not.
    pub(crate) fn late_attempt(void: bool) -> Calls {
        let span = |id, kind, until| span(id, "", kind, 0..until);
        let attempt = span("attempt", Kind::Client, 500)
            .text(attribute::HTTP_REQUEST_METHOD, "POST")
            .text(attribute::URL_FULL, "http://127.0.0.1:5101/inventory/reserve")
            .text(attribute::ERROR_TYPE, "timeout");
        let mut served = span("served", Kind::Server, 2000).left_at(501);
        served.parent = Some("attempt".to_owned());
        let served = served.with(attribute::KEY_VOID, SpanValue::Flag(void));
        Calls::of(&[served], &vec![attempt]).unwrap()
    }

    /// A call that was answered like this.
    pub(crate) fn asked(end: Result<u16, &'static str>, says: Option<&str>) -> Asked {
        Asked {
            from: diagram::Lane::Order,
            request: "POST /inventory/reserve".to_owned(),
            sent_ms: 0,
            after: Duration::ZERO,
            end,
            says: says.map(str::to_owned),
        }
    }
}
