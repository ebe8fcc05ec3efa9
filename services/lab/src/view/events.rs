//! What one party of an order saw, event by event.

use std::borrow::Cow;

use campuscafe_evidence::diagram::Content;
use campuscafe_evidence::local_history::LocalEvent;
use campuscafe_evidence::order_trace::UnderKey;

use super::svg::Words;
use crate::messages::{Language, Value};
use crate::printable::printable;

/// An event in words, from the side of the party whose event it is.
pub(crate) fn in_words(language: Language, event: &LocalEvent) -> Cow<'static, str> {
    let tell = |id: &str, values: &[(&'static str, Value)]| language.tell(id, values);
    let number = |attempt: &u32| ("number", Value::from(u64::from(*attempt)));
    let words = Words(language);
    let message = |content: &Content| ("outcome", Value::from(words.message(content)));
    match event {
        LocalEvent::Received(Content::Order) => tell("event-order", &[]),
        LocalEvent::Sent(Content::Attempt(attempt)) => tell("event-attempt", &[number(attempt)]),
        LocalEvent::Received(Content::Answer { attempt, status }) => {
            let status = ("status", Value::from(status.to_string()));
            tell("event-answer", &[number(attempt), status])
        }
        LocalEvent::NoAnswer { attempt, reason } => {
            let reason = ("reason", Value::from(words.given_up(reason)));
            tell("event-no-answer", &[number(attempt), reason])
        }
        LocalEvent::Sent(told @ Content::Outcome { .. }) => tell("event-told", &[message(told)]),
        LocalEvent::Received(told @ Content::Outcome { .. }) => tell("know-told", &[message(told)]),
        LocalEvent::Sent(Content::Order) => tell("know-asked", &[]),
        LocalEvent::Received(Content::Attempt(attempt)) => tell("know-works", &[number(attempt)]),
        LocalEvent::Sent(Content::Answer { attempt, .. }) => {
            tell("know-answer-sent", &[number(attempt)])
        }
        LocalEvent::Sent(content @ (Content::Call { .. } | Content::Reply { .. }))
        | LocalEvent::Received(content @ (Content::Call { .. } | Content::Reply { .. })) => {
            Cow::Owned(words.message(content))
        }
        LocalEvent::Fault { fault, .. } => Cow::Owned(printable(fault).into_owned()),
        LocalEvent::Committed { attempt, duplicate: false, .. } => {
            tell("know-committed", &[number(attempt)])
        }
        LocalEvent::Committed { attempt, .. } => tell("know-committed-again", &[number(attempt)]),
        LocalEvent::Sent(Content::Question) => tell("know-question", &[]),
        LocalEvent::Received(Content::Question) => tell("event-question", &[]),
        LocalEvent::UnderKey { attempt, found: UnderKey::Replayed, .. } => {
            tell("know-replayed", &[number(attempt)])
        }
        LocalEvent::UnderKey { attempt, found: UnderKey::Void, .. } => {
            tell("know-void", &[number(attempt)])
        }
        LocalEvent::Settled(outcome) => {
            tell("know-settled", &[("outcome", words.outcome(outcome).into())])
        }
        LocalEvent::Cut(attempt) => tell("know-answer-cut", &[number(attempt)]),
        LocalEvent::Killed(_) => tell("know-killed", &[]),
        LocalEvent::Restarted { kept: true } => tell("know-kept", &[]),
        LocalEvent::Restarted { kept: false } => tell("know-forgot", &[]),
        LocalEvent::CallerLeft(attempt) => tell("know-caller-left", &[number(attempt)]),
        LocalEvent::AnswerDropped(attempt) => tell("know-nobody-left", &[number(attempt)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_is_said_from_the_side_of_its_party_and_cannot_steer_the_terminal() {
        let outcome =
            |outcome: &str| Content::Outcome { status: None, outcome: outcome.to_owned() };
        let committed = |duplicate| LocalEvent::Committed { attempt: 1, late: true, duplicate };
        let fault = LocalEvent::Fault { attempt: 1, fault: "slow:\u{1b}[2J".to_owned() };
        for (event, expected) in [
            (LocalEvent::Sent(Content::Order), "sent one order"),
            (LocalEvent::Received(Content::Order), "got the order"),
            (LocalEvent::Received(outcome("failed")), "was told: failed"),
            (committed(false), "attempt 1: committed"),
            (committed(true), "attempt 1: committed, the 2nd of this order"),
            (fault, "slow:\\u{1b}[2J"),
            (LocalEvent::Sent(outcome("\n")), "told the customer: \\u{a}"),
        ] {
            assert_eq!(in_words(Language::English, &event), expected);
        }
    }
}
