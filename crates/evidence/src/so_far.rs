//! An order that is under way, as far as its spans have come.
//!
//! A span is sent when it ends, and each process sends its own when it likes. So an attempt
//! that is under way has no span yet, a commit may come long before the span of its request,
//! and a reply before the request. What the spans leave open stays open: a commit whose
//! attempt is not certain waits for the spans that say which attempt it is of.

use campuscafe_attributes as attribute;
use campuscafe_chaos::Plan;

use crate::order_trace::{
    self, Answered, Attempt, Commit, Crash, End, OrderTrace, ServerAttempt, attempt_number, served,
};
use crate::span::{Kind, Span};

/// What there is of an order before it is over.
#[derive(Debug, Clone, Copy)]
pub struct SoFar<'a> {
    /// When the customer sent it, in nanoseconds since 1970. The customer knows this without
    /// a span.
    pub sent_at: u64,
    /// Whether a second attempt may follow the first.
    pub retries: bool,
    /// The faults that were asked for.
    pub plan: &'a Plan,
    /// What the customer was answered, if anything.
    pub answer: Option<Answer<'a>>,
    /// Whether the inventory was killed meanwhile. Who killed it knows this without a span.
    pub crash: Option<Crash>,
    /// The spans that have come.
    pub spans: &'a [Span],
}

/// What the customer was answered. The customer knows this without a span too.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// When, in nanoseconds since 1970.
    pub at: u64,
    /// The HTTP status.
    pub status: u16,
    /// The answer itself.
    pub answered: &'a Answered,
}

impl SoFar<'_> {
    /// What the customer was told, which the customer knows before any span of it has come.
    pub(crate) fn told(&self) -> Option<OrderTrace> {
        let Answer { at, status, answered } = self.answer?;
        Some(OrderTrace {
            start: self.sent_at,
            told_at: at,
            outcome: answered.report.outcome.as_str().to_owned(),
            status: Some(status.into()),
            lane: None,
            attempts: Vec::new(),
            crash: self.crash,
            settled: None,
            later: None,
            instance: None,
            flaws: Vec::new(),
        })
    }

    /// The attempts that are over for the order service, and those of which only the commit
    /// is known.
    pub(crate) fn attempts(&self, read: Option<&OrderTrace>) -> (Vec<Attempt>, Vec<Attempt>) {
        let mut over = match read {
            Some(read) => read.attempts.clone(),
            None => self.over(),
        };
        let mut committed: Vec<Attempt> = Vec::new();
        let commits = self
            .spans
            .iter()
            .filter(|span| span.attributes.contains_key(attribute::RESERVATION_ID));
        for span in commits {
            let Some(number) = self.attempt_of(span, &over) else { continue };
            let commit = order_trace::commit(span);
            let only_committed = |commit| self.only_committed(commit);
            match over.iter_mut().find(|attempt| attempt.number == number) {
                Some(attempt) => {
                    attempt.served.get_or_insert_with(|| only_committed(commit));
                }
                // A copy is no second commit.
                None if committed.iter().any(|attempt| attempt.number == number) => {}
                None => committed.push(Attempt {
                    number,
                    sent: commit.at,
                    ended: commit.at,
                    end: End::Unanswered(String::new()),
                    served: Some(only_committed(commit)),
                }),
            }
        }
        (over, committed)
    }

    /// The attempts that are over for the order service, while its span of the order has not
    /// come.
    fn over(&self) -> Vec<Attempt> {
        let mut over: Vec<Attempt> = Vec::new();
        for client in self.spans.iter().filter(|span| is_attempt(span)) {
            let number = attempt_number(client);
            if over.iter().any(|attempt| attempt.number == number) {
                continue;
            }
            let end = match client.int(attribute::HTTP_RESPONSE_STATUS_CODE) {
                Some(status) => End::Answered(status),
                None => {
                    End::Unanswered(client.text(attribute::ERROR_TYPE).unwrap_or("?").to_owned())
                }
            };
            let server = self.spans.iter().find(|span| {
                span.kind == Kind::Server && span.parent.as_deref() == Some(&client.id)
            });
            let step = self.plan.step(number);
            // What is missing may still come, so nothing is made of it here.
            let served =
                server.map(|server| served(self.spans, server, number, step, &mut Vec::new()));
            over.push(Attempt { number, sent: client.start, ended: client.end, end, served });
        }
        over.sort_by_key(|attempt| attempt.number);
        over
    }

    fn only_committed(&self, commit: Commit) -> ServerAttempt {
        ServerAttempt {
            ended: commit.at,
            abandoned: None,
            status: None,
            cut: false,
            killed: self.crash.map(|crash| crash.killed_at).filter(|at| *at > commit.at),
            fault: "none".to_owned(),
            fault_acted: None,
            commit: Some(commit),
            under_key: None,
            instance: None,
        }
    }

    /// The attempt that a commit is certainly of, whose own spans may not have come.
    fn attempt_of(&self, commit: &Span, over: &[Attempt]) -> Option<u32> {
        let find = |id: Option<&str>| self.spans.iter().find(|span| Some(&*span.id) == id);
        let server = find(commit.parent.as_deref());
        let client = server.and_then(|server| find(server.parent.as_deref()));
        let first = over.iter().find(|attempt| attempt.number == 1);
        match (client, first) {
            (Some(client), _) => Some(attempt_number(client)),
            (None, _) if !self.retries => Some(1),
            // The second is sent after the first has ended.
            (None, Some(first)) if commit.start < first.ended => Some(1),
            // Its request is known, and is not that of the first.
            (None, Some(_)) if server.is_some() => Some(2),
            (None, _) => None,
        }
    }
}

/// Whether it is the order service's span of an attempt, and not of a message about the order,
/// whose parent may not have come yet.
fn is_attempt(span: &Span) -> bool {
    let is_message = |url: &str| url.contains("/inventory/notifications");
    span.kind == Kind::Client && !span.text(attribute::URL_FULL).is_some_and(is_message)
}

#[cfg(test)]
mod tests;
