//! The words of a picture, in the language of the page.

use campuscafe_evidence::calls::{ChangeKind, Request};
use campuscafe_evidence::diagram::{CallEvent, CallNote, Content, Diagram, Lane, Note, Step};
use campuscafe_evidence::order_trace::{Commit, UnderKey};
use campuscafe_evidence::refusal::{Decided, Refusal};

use crate::messages::{Language, Value};
use crate::printable::printable;

/// The words of one language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words(pub(crate) Language);

/// What a legend explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// A bar of the customer or of the order service.
    Waits,
    /// A bar of the inventory.
    Works,
    /// A bar of a picture that goes on.
    Open,
    /// A hatched bar.
    Unheard,
    /// A commit that somebody waited for.
    Commit,
    /// One that nobody waited for.
    Late,
    /// The second of an order.
    Duplicate,
    /// An attempt that was given up.
    Timeout,
    /// A message that did not arrive.
    Lost,
    /// A process that was killed.
    Killed,
    /// Another process in its place.
    Restarted,
    /// A number that changed, other than by a reservation.
    Change,
    /// Nothing was done.
    Refused,
}

/// A note in two lines; either may be empty.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// What happened.
    pub(super) head: String,
    /// What that means.
    pub(super) detail: String,
}

impl Words {
    fn say(self, id: &str) -> String {
        self.0.say(id).into_owned()
    }

    fn of_attempt(self, id: &str, number: u32) -> String {
        self.0.tell(id, &[("number", u64::from(number).into())]).into_owned()
    }

    /// What the picture is.
    pub(super) fn title(self, diagram: &Diagram) -> String {
        let is_call = |step: &Step| matches!(&step.message, Some(message) if matches!(message.content, Content::Call { .. }));
        let of_calls = diagram.steps.iter().any(is_call);
        self.say(if of_calls { "picture-title-calls" } else { "picture-title" })
    }

    /// What the picture of several worlds is.
    pub(super) fn worlds_title(self) -> String {
        self.say("worlds-picture")
    }

    /// Who stands in a lane.
    pub(crate) fn lane(self, lane: Lane) -> String {
        self.say(match lane {
            Lane::Customer => "lane-customer",
            Lane::Order => "lane-order",
            Lane::Inventory => "lane-inventory",
        })
    }

    /// A moment, in milliseconds after the order arrived.
    pub(crate) fn moment(self, ms: u64) -> String {
        if ms < 1_000 { format!("{ms} ms") } else { format!("{},{:03} ms", ms / 1_000, ms % 1_000) }
    }

    /// A time in which nothing happened, in milliseconds.
    pub(super) fn pause(self, ms: u64) -> String {
        match ms {
            ..1_000 => format!("+ {ms} ms"),
            _ => format!("+ {}.{} s", ms / 1_000, ms % 1_000 / 100),
        }
    }

    /// What is written on a message.
    pub(crate) fn message(self, content: &Content) -> String {
        let outcome = |outcome: &str| self.outcome(outcome);
        match content {
            Content::Order => self.say("message-order"),
            Content::Question => self.say("message-question"),
            Content::Attempt(number) => self.of_attempt("message-attempt", *number),
            Content::Answer { status, .. } => status.to_string(),
            Content::Outcome { status: Some(status), outcome: it } => {
                format!("{status} {}", outcome(it))
            }
            Content::Outcome { status: None, outcome: it } => outcome(it),
            Content::Call { call, request } => format!("{call} {}", self.request(request)),
            Content::Reply { status, decided, says, .. } => {
                let says = says.as_deref();
                let says =
                    says.map(|it| Self::says(it).map_or_else(|| outcome(it), |id| self.say(id)));
                // A replay that says what it replays leaves no room for more.
                let replays = *decided == Some(Decided::Replayed) && says.is_some();
                let decided = decided.filter(|_| !replays).map(|it| self.say(Self::decided(it)));
                let words = [Some(status.to_string()), decided, says].into_iter().flatten();
                words.collect::<Vec<_>>().join(" ")
            }
        }
    }

    /// How an order ended: `confirmed`, `failed` or `unknown`.
    pub(crate) fn outcome(self, outcome: &str) -> String {
        match outcome {
            "confirmed" | "failed" | "unknown" => self.say(&format!("outcome-{outcome}")),
            other => printable(other).to_string(),
        }
    }

    /// Why an attempt was given up: `timeout`, `connection_lost` or `connection_refused`.
    pub(crate) fn given_up(self, reason: &str) -> String {
        match reason {
            "timeout" => self.say("end-timeout"),
            "connection_lost" => self.say("end-connection-lost"),
            "connection_refused" => self.say("end-connection-refused"),
            other => printable(other).to_string(),
        }
    }

    /// What is said beside a step.
    pub(super) fn note(self, note: &Note) -> Said {
        let said = |head: String, detail: String| Said { head, detail };
        match note {
            Note::Fault(fault) if fault == "none" => Said::default(),
            Note::Fault(fault) => said(printable(fault).to_string(), self.fault(fault)),
            Note::Committed(commit) => said(self.commit(commit), self.kind(commit)),
            Note::UnderKey { attempt, found, .. } => said(
                self.say(match found {
                    UnderKey::Replayed => "note-replayed",
                    UnderKey::Void => "note-void",
                }),
                self.of_attempt("of-attempt", *attempt),
            ),
            Note::Settled(outcome) => {
                let outcome = ("outcome", Value::from(self.outcome(outcome)));
                said(self.0.tell("note-settled", &[outcome]).into_owned(), String::new())
            }
            Note::Cut(number) => said(self.say("note-cut"), self.of_attempt("of-attempt", *number)),
            Note::Killed(number) => {
                said(self.say("note-killed"), self.of_attempt("of-attempt", *number))
            }
            Note::Restarted { kept } => said(
                self.say("note-restarted"),
                self.say(if *kept { "note-kept" } else { "note-forgot" }),
            ),
            Note::GivenUp { attempt, reason } => said(
                self.of_attempt("note-given-up", *attempt),
                self.say(match reason.as_str() {
                    "connection_refused" => "note-nothing-sent",
                    _ => "note-unknown",
                }),
            ),
            Note::CallerLeft(number) => {
                said(self.say("note-caller-left"), self.of_attempt("of-attempt", *number))
            }
            Note::AnswerDropped(number) => {
                said(self.say("note-answer-dropped"), self.of_attempt("of-attempt", *number))
            }
            Note::Call(note) => said(self.of_call(note), String::new()),
        }
    }

    /// The message that says a word of the services, if there is one.
    pub(crate) fn says(word: &str) -> Option<&'static str> {
        Some(match word {
            "none" => "says-none",
            "void" => "says-void",
            "reserved" => "says-reserved",
            "refused" => "says-refused",
            "cancelled" => "says-cancelled",
            "cancelling" => "says-cancelling",
            "placing" => "says-placing",
            "confirmed" => "outcome-confirmed",
            "failed" => "drawn-failed",
            "unknown" => "outcome-unknown",
            "accepted" => "says-accepted",
            _ => return None,
        })
    }

    /// The message that says in a word what was decided before, or why it was refused.
    const fn decided(decided: Decided) -> &'static str {
        match decided {
            Decided::Replayed => "says-replayed",
            Decided::Refused(Refusal::OutOfStock) => "says-sold-out",
            Decided::Refused(Refusal::KeyReused) => "says-key-reused",
            Decided::Refused(Refusal::KeyVoid) => "says-void",
            Decided::Refused(Refusal::Cancelled) => "says-cancelled",
            Decided::Refused(Refusal::KeyExpired) => "says-expired",
            Decided::Refused(Refusal::Stale) => "says-stale",
            Decided::Refused(Refusal::Unversioned) => "says-unversioned",
        }
    }

    /// What a call asks for, short enough to stand between two lanes.
    pub(crate) fn request(self, request: &Request) -> String {
        let Request { method, route } = request;
        self.say(match (&**method, &**route) {
            ("POST", "/orders") => "call-order",
            ("GET", "/orders") => "call-list-orders",
            ("GET", "/orders/{orderId}") => "call-read-order",
            ("POST", "/inventory/reserve") => "call-reserve",
            ("GET", "/inventory/keys") => "call-read-keys",
            ("POST", "/inventory/keys/{key}/settle") => "call-settle",
            ("POST", "/inventory/notifications") => "call-notify",
            ("GET", "/inventory/notifications/{orderId}") => "call-read-board",
            ("GET", "/inventory/items/{item}/price") => "call-read-price",
            ("PUT", "/inventory/items/{item}/price") => "call-set-price",
            ("DELETE", _) => "call-cancel",
            _ => {
                let last = route.rsplit('/').find(|part| !part.starts_with('{'));
                let last = last.unwrap_or_default();
                return printable(&format!("{method} {last}")).into_owned();
            }
        })
    }

    /// What happens to a call.
    pub(crate) fn of_call(self, note: &CallNote) -> String {
        let call = ("call", Value::from(u64::from(note.call)));
        let tell = |id: &str, more: Vec<(&'static str, Value)>| {
            let values: Vec<_> = std::iter::once(call.clone()).chain(more).collect();
            self.0.tell(id, &values).into_owned()
        };
        match &note.event {
            CallEvent::GivenUp(reason) => {
                let id = match reason.as_str() {
                    "connection_refused" => "call-nothing-sent",
                    _ => "call-given-up",
                };
                tell(id, vec![("who", self.lane(note.lane).into())])
            }
            CallEvent::CallerLeft => tell("call-caller-left", vec![]),
            CallEvent::Cut => tell("call-cut", vec![]),
            CallEvent::AnswerDropped => tell("call-dropped", vec![]),
            CallEvent::Decided(decided) => {
                let id = match decided {
                    Decided::Replayed => "call-replayed",
                    Decided::Refused(Refusal::OutOfStock) => "call-sold-out",
                    Decided::Refused(Refusal::KeyReused) => "call-key-reused",
                    Decided::Refused(Refusal::KeyVoid) => "call-void",
                    Decided::Refused(Refusal::Cancelled) => "call-cancelled",
                    Decided::Refused(Refusal::KeyExpired) => "call-expired",
                    Decided::Refused(Refusal::Stale) => "call-stale",
                    Decided::Refused(Refusal::Unversioned) => "call-unversioned",
                };
                tell(id, vec![])
            }
            CallEvent::Told(arrival) => {
                let id = if arrival.dropped { "call-drops" } else { "call-shows" };
                let state = match Self::says(&arrival.state) {
                    Some(id) => self.say(id),
                    None => printable(&arrival.state).into_owned(),
                };
                tell(id, vec![("state", state.into())])
            }
            CallEvent::Changed(change) => {
                let id = match change.kind {
                    ChangeKind::Cancelled => "call-changed-cancelled",
                    ChangeKind::Priced => "call-changed-priced",
                };
                let item = printable(&change.item).into_owned();
                let [before, after] = [change.before, change.after].map(|it| it.to_string());
                let values = [("before", before), ("after", after), ("item", item)];
                tell(id, values.map(|(name, text)| (name, Value::from(text))).to_vec())
            }
        }
    }

    /// What a sign means.
    pub(super) fn sign(self, sign: Sign) -> String {
        self.say(match sign {
            Sign::Waits => "sign-waits",
            Sign::Works => "sign-works",
            Sign::Open => "sign-open",
            Sign::Unheard => "sign-unheard",
            Sign::Commit => "sign-commit",
            Sign::Late => "sign-late",
            Sign::Duplicate => "sign-duplicate",
            Sign::Timeout => "sign-timeout",
            Sign::Lost => "sign-lost",
            Sign::Killed => "sign-killed",
            Sign::Restarted => "sign-restarted",
            Sign::Change => "sign-change",
            Sign::Refused => "sign-refused",
        })
    }

    /// That so many steps did not find room.
    pub(super) fn left_out(self, steps: usize) -> String {
        self.0.tell("left-out", &[("count", steps.into())]).into_owned()
    }

    /// What a fault does; nothing is said of a word that is no fault.
    pub(crate) fn fault(self, fault: &str) -> String {
        self.say(match fault.split(':').next().unwrap_or_default() {
            "slow" => "fault-slow",
            "fail" => "fault-fail",
            "slowfail" => "fault-slowfail",
            "abort" => "fault-abort",
            "lostreply" => "fault-lostreply",
            "slowreply" => "fault-slowreply",
            "hold" => "fault-hold",
            "race" => "fault-race",
            _ => return String::new(),
        })
    }

    fn commit(self, commit: &Commit) -> String {
        let left = |pieces: i64| Value::from(pieces.to_string());
        let item = Value::from(printable(&commit.item).to_string());
        let values =
            [("item", item), ("before", left(commit.before)), ("after", left(commit.after))];
        self.0.tell("note-commit", &values).into_owned()
    }

    fn kind(self, commit: &Commit) -> String {
        match (commit.late, commit.duplicate) {
            (false, false) => String::new(),
            (true, false) => self.say("commit-is-late"),
            (false, true) => self.say("commit-is-duplicate"),
            (true, true) => self.say("commit-is-both"),
        }
    }
}
