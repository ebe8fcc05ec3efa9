//! The words of a picture, in the language of the page.

use campuscafe_evidence::diagram::{Content, Lane, Note};
use campuscafe_evidence::order_trace::Commit;

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
    pub(super) fn title(self) -> String {
        self.say("picture-title")
    }

    /// Who stands in a lane.
    pub(super) fn lane(self, lane: Lane) -> String {
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
        let outcome = |outcome: &str| match outcome {
            "confirmed" | "failed" | "unknown" => self.say(&format!("outcome-{outcome}")),
            other => printable(other).to_string(),
        };
        match content {
            Content::Order => self.say("message-order"),
            Content::Attempt(number) => self.of_attempt("message-attempt", *number),
            Content::Answer { status, .. } => status.to_string(),
            Content::Outcome { status: Some(status), outcome: it } => {
                format!("{status} {}", outcome(it))
            }
            Content::Outcome { status: None, outcome: it } => outcome(it),
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
            Note::Cut(number) => said(self.say("note-cut"), self.of_attempt("of-attempt", *number)),
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
        }
    }

    /// What a sign means.
    pub(super) fn sign(self, sign: Sign) -> String {
        self.say(match sign {
            Sign::Waits => "sign-waits",
            Sign::Works => "sign-works",
            Sign::Unheard => "sign-unheard",
            Sign::Commit => "sign-commit",
            Sign::Late => "sign-late",
            Sign::Duplicate => "sign-duplicate",
            Sign::Timeout => "sign-timeout",
            Sign::Lost => "sign-lost",
        })
    }

    /// That so many steps did not find room.
    pub(super) fn left_out(self, steps: usize) -> String {
        self.0.tell("left-out", &[("count", steps.into())]).into_owned()
    }

    /// What a fault does; nothing is said of a word that is no fault.
    fn fault(self, fault: &str) -> String {
        self.say(match fault.split(':').next().unwrap_or_default() {
            "slow" => "fault-slow",
            "fail" => "fault-fail",
            "slowfail" => "fault-slowfail",
            "abort" => "fault-abort",
            "lostreply" => "fault-lostreply",
            "slowreply" => "fault-slowreply",
            "hold" => "fault-hold",
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
