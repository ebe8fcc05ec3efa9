//! Every word of a diagram comes from outside, so that a page can be in any language.

use campuscafe_evidence::diagram::{Content, Lane, Note};
use campuscafe_evidence::order_trace::Commit;

/// The words of one language. What they are given of an order is safe to show.
pub(crate) trait Words {
    /// What the picture is.
    fn title(&self) -> String;
    /// Who stands in a lane.
    fn lane(&self, lane: Lane) -> String;
    /// A moment, in milliseconds after the order arrived.
    fn moment(&self, ms: u64) -> String;
    /// A time in which nothing happened, in milliseconds.
    fn pause(&self, ms: u64) -> String;
    /// What is written on a message.
    fn message(&self, content: &Content) -> String;
    /// Why an attempt was given up: `timeout`, `connection_lost` or `connection_refused`.
    fn given_up(&self, reason: &str) -> String;
    /// What is said beside a step.
    fn note(&self, note: &Note) -> Said;
    /// What a sign means.
    fn sign(&self, sign: Sign) -> String;
    /// That so many steps did not find room.
    fn left_out(&self, steps: usize) -> String;
}

/// What a legend explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
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
pub(crate) struct Said {
    /// What happened.
    pub(crate) head: String,
    /// What that means.
    pub(crate) detail: String,
}

impl Said {
    fn new(head: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { head: head.into(), detail: detail.into() }
    }
}

/// English.
pub(crate) struct English;

impl Words for English {
    fn title(&self) -> String {
        "One order as a space–time diagram: time runs down, messages run across".to_owned()
    }

    fn lane(&self, lane: Lane) -> String {
        match lane {
            Lane::Customer => "customer",
            Lane::Order => "order service",
            Lane::Inventory => "inventory",
        }
        .to_owned()
    }

    fn moment(&self, ms: u64) -> String {
        if ms < 1_000 { format!("{ms} ms") } else { format!("{},{:03} ms", ms / 1_000, ms % 1_000) }
    }

    fn pause(&self, ms: u64) -> String {
        if ms < 1_000 {
            format!("+ {ms} ms")
        } else {
            format!("+ {}.{} s", ms / 1_000, ms % 1_000 / 100)
        }
    }

    fn message(&self, content: &Content) -> String {
        match content {
            Content::Order => "order".to_owned(),
            Content::Attempt(number) => format!("attempt {number}"),
            Content::Answer(status) => status.to_string(),
            Content::Outcome { status: Some(status), outcome } => format!("{status} {outcome}"),
            Content::Outcome { status: None, outcome } => outcome.clone(),
        }
    }

    fn given_up(&self, reason: &str) -> String {
        reason.replace('_', " ")
    }

    fn note(&self, note: &Note) -> Said {
        match note {
            Note::Fault(fault) => Said::new(fault_name(fault), fault_in_words(fault)),
            Note::Committed(commit) => Said::new(
                format!("commit: {} {}\u{a0}→\u{a0}{}", commit.item, commit.before, commit.after),
                commit_in_words(commit),
            ),
            Note::Cut(number) => Said::new("cuts the connection", format!("of attempt {number}")),
            Note::GivenUp { attempt, reason } => {
                let detail = match reason.as_str() {
                    "connection_refused" => "nothing was sent",
                    _ => "outcome unknown",
                };
                Said::new(format!("gives up attempt {attempt}"), detail)
            }
            Note::CallerLeft(number) => {
                Said::new("the caller has left", format!("attempt {number} goes on"))
            }
            Note::AnswerDropped(number) => {
                Said::new("the answer reaches nobody", format!("attempt {number}"))
            }
        }
    }

    fn sign(&self, sign: Sign) -> String {
        match sign {
            Sign::Waits => "waits",
            Sign::Works => "works, and the caller waits",
            Sign::Unheard => "works, and nobody waits",
            Sign::Commit => "commit",
            Sign::Late => "late commit",
            Sign::Duplicate => "2nd commit of one order",
            Sign::Timeout => "timeout",
            Sign::Lost => "did not arrive",
        }
        .to_owned()
    }

    fn left_out(&self, steps: usize) -> String {
        format!("and {steps} more that are not drawn")
    }
}

fn fault_name(fault: &str) -> &str {
    if fault == "none" { "" } else { fault }
}

const fn commit_in_words(commit: &Commit) -> &'static str {
    match (commit.late, commit.duplicate) {
        (false, false) => "",
        (true, false) => "late: nobody waited",
        (false, true) => "the 2nd of this order",
        (true, true) => "late, 2nd of this order",
    }
}

fn fault_in_words(fault: &str) -> &'static str {
    match fault.split(':').next().unwrap_or_default() {
        "slow" => "waits, then commits",
        "fail" => "refuses",
        "slowfail" => "waits, then refuses",
        "abort" => "cuts before the commit",
        "lostreply" => "commits, then cuts",
        "slowreply" => "commits, then waits",
        "hold" => "commits, holds the answer",
        _ => "",
    }
}
