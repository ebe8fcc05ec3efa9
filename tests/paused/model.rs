//! What must happen, told by the rules of the fault language alone: a step says
//! when it commits and what the caller sees, and the earlier commit goes first.

use std::collections::BTreeMap;

use campuscafe_chaos::{Fault, Plan, SplitMix64};

use crate::orders::Order;

/// One attempt's limit, in milliseconds.
const LIMIT: u64 = 1_000;

/// What a customer is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) status: u64,
    pub(crate) outcome: &'static str,
    /// Each attempt's result, its status and its time in milliseconds.
    pub(crate) attempts: Vec<(&'static str, Option<u64>, u64)>,
}

/// What both services must have counted.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) left: BTreeMap<&'static str, u64>,
    pub(crate) made_today: u64,
    pub(crate) rolls: u64,
    seed: u64,
    counts: BTreeMap<String, u64>,
}

/// One attempt on its way, times in milliseconds since the order began.
struct Attempt {
    sent: u64,
    fault: Fault,
    /// Whether it took what it wanted; known once its commit point is passed.
    committed: Option<bool>,
}

impl Attempt {
    /// When it reaches the commit point, if ever.
    fn commits_at(&self) -> Option<u64> {
        match self.fault {
            Fault::Slow(wait) => Some(self.sent + wait.as_millis() as u64),
            Fault::Fail(_) | Fault::SlowFail(_) | Fault::Abort => None,
            Fault::None | Fault::LostReply | Fault::SlowReply(_) | Fault::Hold(_) => {
                Some(self.sent)
            }
        }
    }

    /// What the caller sees: result, status, milliseconds.
    fn seen(&self) -> (&'static str, Option<u64>, u64) {
        let answer = |took: u64, status: u64| match (took < LIMIT, status) {
            (false, _) => ("timeout", None, LIMIT),
            (true, 200) => ("ok", Some(200), took),
            (true, _) => ("rejected", Some(status), took),
        };
        let took = |wait: std::time::Duration| wait.as_millis() as u64;
        match (self.fault, self.committed == Some(false)) {
            (Fault::Slow(wait), true) => answer(took(wait), 409),
            (Fault::Slow(wait), false) => answer(took(wait), 200),
            (Fault::Fail(status), _) => answer(0, status.into()),
            (Fault::SlowFail(wait), _) => answer(took(wait), 503),
            (Fault::Abort, _) => ("connection_lost", None, 0),
            (_, true) => answer(0, 409),
            (Fault::LostReply, _) => ("connection_lost", None, 0),
            (Fault::SlowReply(wait) | Fault::Hold(wait), _) => answer(took(wait), 200),
            (Fault::None, _) => answer(0, 200),
        }
    }
}

impl Ledger {
    pub(crate) fn open(opening: &BTreeMap<&'static str, u64>, seed: u64) -> Self {
        Self { left: opening.clone(), made_today: 0, rolls: 0, seed, counts: BTreeMap::new() }
    }

    pub(crate) fn reset(&mut self, opening: &BTreeMap<&'static str, u64>) {
        self.left.clone_from(opening);
        self.made_today = 0;
    }

    /// Pieces arrive: there is more, and nothing else is different.
    pub(crate) fn deliver(&mut self, item: &'static str, quantity: u64) {
        *self.left.entry(item).or_default() += quantity;
        self.count(format!("inventory_deliveries_total{{item=\"{item}\"}}"));
    }

    /// Every series that must have counted, with its value.
    pub(crate) fn series(&self) -> impl Iterator<Item = (String, u64)> {
        self.counts.iter().map(|(series, count)| (series.clone(), *count))
    }

    /// Carries out one order, and the work it leaves behind.
    pub(crate) fn carry_out(&mut self, order: &Order) -> Told {
        let attempts = match u64::try_from(order.quantity) {
            Ok(quantity) if quantity > 0 => self.attempts(order, quantity),
            // Refused for what it is, before any fault.
            _ => vec![("rejected", Some(400), 0)],
        };
        let saw = |results: &[&str]| attempts.iter().any(|seen| results.contains(&seen.0));
        let outcome = match () {
            () if saw(&["ok"]) => "confirmed",
            () if saw(&["timeout", "connection_lost"]) => "unknown",
            () => "failed",
        };
        let status = match (outcome, attempts.last().and_then(|seen| seen.1)) {
            ("confirmed", _) => 200,
            ("unknown", _) => 504,
            (_, Some(status @ (400 | 409))) => status,
            _ => 502,
        };
        self.count(format!("order_outcomes_total{{outcome=\"{outcome}\"}}"));
        for seen in &attempts {
            self.count(format!("order_attempts_total{{result=\"{}\"}}", seen.0));
        }
        if attempts.len() > 1 {
            self.count("order_retries_total".to_owned());
        }
        Told { status, outcome, attempts }
    }

    fn attempts(&mut self, order: &Order, quantity: u64) -> Vec<(&'static str, Option<u64>, u64)> {
        let item = order.item.to_lowercase();
        let mut first = self.send(order, 0);
        if first.commits_at().is_some_and(|at| at < LIMIT) {
            self.commit(&mut first, &item, quantity, false);
        }
        let seen = first.seen();
        if seen.0 != "timeout" || !order.retry {
            self.commit(&mut first, &item, quantity, false);
            return vec![seen];
        }
        let mut second = self.send(order, LIMIT);
        if second.commits_at() < first.commits_at() {
            self.commit(&mut second, &item, quantity, false);
            self.commit(&mut first, &item, quantity, second.committed == Some(true));
        } else {
            self.commit(&mut first, &item, quantity, false);
            self.commit(&mut second, &item, quantity, first.committed == Some(true));
        }
        vec![seen, second.seen()]
    }

    /// The fault that an attempt meets is decided when it arrives.
    fn send(&mut self, order: &Order, sent: u64) -> Attempt {
        let number = if sent == 0 { 1 } else { 2 };
        let plan: Plan = order.plan.join(",").parse().unwrap();
        let fault = plan.step(number).resolve(|| {
            let roll = SplitMix64::nth(self.seed, self.rolls);
            self.rolls += 1;
            roll
        });
        if fault.is_active() {
            self.count(format!("inventory_faults_total{{fault=\"{}\"}}", fault.name()));
        }
        Attempt { sent, fault, committed: None }
    }

    fn commit(&mut self, attempt: &mut Attempt, item: &str, quantity: u64, duplicate: bool) {
        let (Some(at), None) = (attempt.commits_at(), attempt.committed) else { return };
        let left = self.left.get_mut(item).filter(|left| **left >= quantity);
        attempt.committed = Some(left.is_some());
        let Some(left) = left else { return };
        *left -= quantity;
        self.made_today += 1;
        let mut count =
            |name: &str| self.count(format!("inventory_{name}_total{{item=\"{item}\"}}"));
        count("reservations");
        if duplicate {
            count("duplicate_reservations");
        }
        if at > attempt.sent + LIMIT {
            count("late_commits");
        }
    }

    fn count(&mut self, series: String) {
        *self.counts.entry(series).or_default() += 1;
    }
}
