//! What must happen to an order whose attempts carry its key, told by the promises of the
//! cured lane: whoever comes to the commit first decides for all of them, and an order
//! without an answer is settled as soon as its last attempt has ended.

use crate::model::{CustomerResponse, Ledger, TIMEOUT};
use crate::orders::Order;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) told: CustomerResponse,
    /// Every state of the order, in turn.
    pub(crate) states: Vec<&'static str>,
    /// What the inventory keeps under the key, if it keeps anything.
    pub(crate) key: Option<&'static str>,
}

impl Ledger {
    /// Carries out one order with a key, its settlement, and the work it leaves behind.
    pub(crate) fn carry_out_keyed(&mut self, order: &Order) -> Expected {
        let Some(quantity) = u64::try_from(order.quantity).ok().filter(|it| *it > 0) else {
            // Refused for what it is, before any fault and any key.
            let told = self.told(order, "failed", vec![("rejected", Some(400), 0)]);
            return Expected { told, states: vec!["placing", "failed"], key: None };
        };
        let item = order.item.to_lowercase();
        let enough = self.left.get(&*item).is_some_and(|left| *left >= quantity);
        let mut attempts = Vec::new();
        for sent in [0, TIMEOUT] {
            let mut attempt = self.send(order, sent);
            if !enough {
                attempt.committed = attempt.commits_at.map(|_| false);
            }
            let timed_out = attempt.seen().0 == "timeout";
            attempts.push(attempt);
            if !(timed_out && order.retry) {
                break;
            }
        }
        let seen: Vec<_> = attempts.iter().map(|attempt| attempt.seen()).collect();
        let saw = |results: &[&str]| seen.iter().any(|seen| results.contains(&seen.0));
        let outcome = match () {
            () if saw(&["ok"]) => "confirmed",
            // Out of stock is said under the key, so it is said of all attempts.
            () if seen.iter().any(|seen| seen.1 == Some(409)) => "failed",
            () if saw(&["timeout", "connection_lost"]) => "unknown",
            () => "failed",
        };
        let ended = attempts.last().map(|last| last.sent + last.seen().2).expect("an attempt");
        attempts.retain(|attempt| attempt.commits_at.is_some());
        attempts.sort_by_key(|attempt| attempt.commits_at);
        let decided = attempts.first().is_some_and(|it| it.commits_at <= Some(ended));
        let key = match (decided, outcome) {
            (true, _) if enough => Some("reserved"),
            (true, _) => Some("refused"),
            (false, "unknown") => Some("void"),
            (false, _) => None,
        };
        for (n, attempt) in attempts.iter_mut().enumerate() {
            match (key, n) {
                (Some("void"), _) => self.count("inventory_voided_commits_total".to_owned()),
                (_, 0) if enough => self.commit(attempt, &item, quantity, false),
                (_, 0) => {}
                _ => self.count("inventory_idempotent_replays_total".to_owned()),
            }
        }
        let mut states = vec!["placing", outcome];
        if outcome == "unknown" {
            let last = if key == Some("reserved") { "confirmed" } else { "failed" };
            states.push(last);
            self.count(format!("order_settled_total{{result=\"{last}\"}}"));
        }
        Expected { told: self.told(order, outcome, seen), states, key }
    }
}
