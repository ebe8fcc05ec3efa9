//! From a party's history to what it knows.

use campuscafe_attributes::CONNECTION_REFUSED;

use super::{
    Answer, Certainty, Committed, Customer, End, Inventory, OrderService, Process, ReceivedAttempt,
    SentAttempt, Told,
};
use crate::diagram::Content;
use crate::local_history::{LocalEvent, LocalHistory};

pub(super) fn customer(history: &LocalHistory) -> Customer {
    let (asked_ms, told) = (asked(history), told(history));
    let reserved = match (asked_ms, told.as_ref().map(|told| told.outcome.as_str())) {
        (None, _) | (_, Some("failed")) => Certainty::No,
        (_, Some("confirmed")) => Certainty::Yes,
        _ => Certainty::Unknown,
    };
    Customer { asked_ms, told, reserved }
}

/// All attempts with one key reserve once, so what is told under it is true of each of them.
pub(super) fn order_service(history: &LocalHistory, once: bool) -> OrderService {
    let mut attempts: Vec<SentAttempt> = Vec::new();
    for (at_ms, event) in history.timed() {
        let Some(number) = event.attempt() else { continue };
        let known = attempts.iter_mut().find(|attempt| attempt.number == number);
        match (known, end(at_ms, event)) {
            (Some(attempt), Some(end)) => {
                attempt.reserved = reserved(&end);
                attempt.end = Some(end);
            }
            (Some(_), None) => {}
            // Once it is sent it may reserve at any moment.
            (None, _) => attempts.push(SentAttempt {
                number,
                sent_ms: at_ms,
                end: None,
                reserved: Certainty::Unknown,
            }),
        }
    }
    let count = |certainty| attempts.iter().filter(|one| one.reserved == certainty).count();
    let (certain, open) = (count(Certainty::Yes), count(Certainty::Unknown));
    let settled = history.timed().find_map(|(_, event)| match event {
        LocalEvent::Settled(outcome) => Some(outcome.clone()),
        _ => None,
    });
    let (certain, possible) = match settled.as_deref() {
        Some("confirmed") => (1, 1),
        Some(_) => (0, 0),
        None if once && certain > 0 => (1, 1),
        None if once && attempts.iter().any(is_refused_under_key) => (0, 0),
        None if once => (0, open.min(1)),
        None => (certain, certain + open),
    };
    OrderService {
        asked_ms: asked(history),
        certain,
        possible,
        settled,
        told: told(history),
        attempts,
    }
}

/// Whether the inventory said that no attempt of the order can reserve: the stock is too
/// low, or the key is void.
const fn is_refused_under_key(attempt: &SentAttempt) -> bool {
    matches!(attempt.end, Some(End::Answer { status: 409 | 410, .. }))
}

fn end(at_ms: u64, event: &LocalEvent) -> Option<End> {
    match event {
        LocalEvent::Received(Content::Answer { status, .. }) => {
            Some(End::Answer { at_ms, status: *status })
        }
        LocalEvent::NoAnswer { reason, .. } => {
            Some(End::NoAnswer { at_ms, reason: reason.clone() })
        }
        _ => None,
    }
}

/// Whether an attempt that ended like this made a reservation. The inventory answers 2xx
/// only with one.
fn reserved(end: &End) -> Certainty {
    match end {
        End::Answer { status: 200..=299, .. } => Certainty::Yes,
        End::Answer { .. } => Certainty::No,
        // Without a connection nothing was sent.
        End::NoAnswer { reason, .. } if reason == CONNECTION_REFUSED => Certainty::No,
        End::NoAnswer { .. } => Certainty::Unknown,
    }
}

pub(super) fn inventory(history: &LocalHistory) -> Inventory {
    let mut attempts: Vec<ReceivedAttempt> = Vec::new();
    let (mut process, mut committed) = (Process::First, Vec::new());
    for (at_ms, event) in history.timed() {
        match event {
            LocalEvent::Killed(_) => {
                process = Process::Killed;
                committed = std::mem::take(&mut attempts);
                committed.retain(|attempt| attempt.commit.is_some());
                continue;
            }
            LocalEvent::Restarted { kept: true } => {
                process = Process::Kept;
                let known = |attempt| ReceivedAttempt { answer: Answer::NobodyKnows, ..attempt };
                attempts = committed.drain(..).map(known).collect();
            }
            LocalEvent::Restarted { kept: false } => process = Process::Forgot,
            _ => {}
        }
        let Some(number) = event.attempt() else { continue };
        // An attempt is sent by another clock, so something done for it may come first.
        if attempts.iter().all(|attempt| attempt.number != number) {
            attempts.push(received(number, at_ms));
        }
        let attempt = attempts.iter_mut().find(|attempt| attempt.number == number);
        if let Some(attempt) = attempt {
            add(attempt, at_ms, event);
        }
    }
    let reservations = attempts.iter().filter(|attempt| attempt.commit.is_some()).count();
    Inventory { attempts, reservations, process }
}

const fn received(number: u32, received_ms: u64) -> ReceivedAttempt {
    ReceivedAttempt {
        number,
        received_ms,
        fault: None,
        commit: None,
        found: None,
        caller_left_ms: None,
        answer: Answer::NotYet,
    }
}

fn add(attempt: &mut ReceivedAttempt, at_ms: u64, event: &LocalEvent) {
    match event {
        LocalEvent::Fault { fault, .. } => attempt.fault = Some(fault.clone()),
        LocalEvent::Committed { late, duplicate, .. } => {
            let (late, duplicate) = (*late, *duplicate);
            attempt.commit = Some(Committed { at_ms, late, duplicate });
            // The commit was the last thing to do, and nobody is there to be told.
            if late {
                attempt.answer = Answer::NobodyLeft { at_ms };
            }
        }
        LocalEvent::UnderKey { found, late, .. } => {
            attempt.found = Some(*found);
            if *late {
                attempt.answer = Answer::NobodyLeft { at_ms };
            }
        }
        LocalEvent::CallerLeft(_) => attempt.caller_left_ms = Some(at_ms),
        LocalEvent::Sent(Content::Answer { status, .. }) => {
            attempt.answer = Answer::Sent { at_ms, status: *status };
        }
        LocalEvent::Cut(_) => attempt.answer = Answer::Cut { at_ms },
        LocalEvent::AnswerDropped(_) => attempt.answer = Answer::NobodyLeft { at_ms },
        _ => {}
    }
}

/// When the order was sent by the customer, or reached the order service.
fn asked(history: &LocalHistory) -> Option<u64> {
    let order = |event: &LocalEvent| {
        matches!(event, LocalEvent::Sent(Content::Order) | LocalEvent::Received(Content::Order))
    };
    history.timed().find_map(|(at_ms, event)| order(event).then_some(at_ms))
}

/// What the customer was told last, from the side of either.
fn told(history: &LocalHistory) -> Option<Told> {
    let told = history.timed().filter_map(|(at_ms, event)| match event {
        LocalEvent::Sent(Content::Outcome { status, outcome })
        | LocalEvent::Received(Content::Outcome { status, outcome }) => {
            Some(Told { at_ms, status: *status, outcome: outcome.clone() })
        }
        _ => None,
    });
    told.last()
}
