//! What must happen, told by the README's rules of the fault language: a step says
//! when it commits and what the caller sees, and the earlier commit goes first.
//! Nothing here is shared with the program, so a mistake there is no mistake here.

use std::collections::BTreeMap;

use crate::orders::Order;

/// The timeout of one attempt, in milliseconds.
pub(crate) const TIMEOUT: u64 = 1_000;

/// The generator of Steele, Lea and Flood, as they give it: a state that moves on.
#[derive(Debug)]
pub(crate) struct SplitMix64(u64);

impl SplitMix64 {
    pub(crate) const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// What a customer is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CustomerResponse {
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
    /// How often a step was left to chance.
    pub(crate) rolls: u64,
    dice: SplitMix64,
    counts: BTreeMap<String, u64>,
}

/// One attempt on its way, times in milliseconds since the order began.
pub(crate) struct Attempt {
    lane: &'static str,
    fault: &'static str,
    pub(crate) sent: u64,
    /// When it reaches the commit point, if ever.
    pub(crate) commits_at: Option<u64>,
    /// The status of its answer and how long after the request, if one leaves.
    answer: Option<(u64, u64)>,
    /// Whether it took what it wanted. Known once its commit point is passed.
    pub(crate) committed: Option<bool>,
}

impl Attempt {
    fn read(lane: &'static str, step: &'static str, sent: u64, dice: impl FnOnce() -> u64) -> Self {
        let step = match step {
            "flaky" => match dice() {
                0..35 => "fail",
                35..70 => "slow:1500",
                _ => "none",
            },
            named => named,
        };
        let (fault, argument) = step.split_once(':').unwrap_or((step, ""));
        let or = |default: u64| argument.parse().unwrap_or(default);
        let (commits_after, answer) = match fault {
            "none" => (Some(0), Some((200, 0))),
            "slow" => (Some(or(2_000)), Some((200, or(2_000)))),
            "fail" => (None, Some((or(503), 0))),
            "slowfail" => (None, Some((503, or(2_000)))),
            "abort" => (None, None),
            "lostreply" => (Some(0), None),
            "slowreply" => (Some(0), Some((200, or(2_000)))),
            "hold" => (Some(0), Some((200, or(60_000)))),
            unknown => panic!("no such fault: {unknown}"),
        };
        let commits_at = commits_after.map(|after| sent + after);
        Self { lane, fault, sent, commits_at, answer, committed: None }
    }

    /// What the caller sees: result, status, milliseconds.
    pub(crate) fn seen(&self) -> (&'static str, Option<u64>, u64) {
        let refused = self.commits_at.filter(|_| self.committed == Some(false));
        match refused.map(|at| (409, at - self.sent)).or(self.answer) {
            None => ("connection_lost", None, 0),
            Some((_, took)) if took >= TIMEOUT => ("timeout", None, TIMEOUT),
            Some((200, took)) => ("ok", Some(200), took),
            Some((status, took)) => ("rejected", Some(status), took),
        }
    }
}

impl Ledger {
    pub(crate) fn open(opening: &BTreeMap<&'static str, u64>, seed: u64) -> Self {
        let dice = SplitMix64::seeded(seed);
        Self { left: opening.clone(), made_today: 0, rolls: 0, dice, counts: BTreeMap::new() }
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
    pub(crate) fn carry_out(&mut self, order: &Order) -> CustomerResponse {
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
        self.told(order, outcome, attempts)
    }

    /// What the customer is told, and what is counted for it.
    pub(crate) fn told(
        &mut self,
        order: &Order,
        outcome: &'static str,
        attempts: Vec<(&'static str, Option<u64>, u64)>,
    ) -> CustomerResponse {
        let status = match (outcome, attempts.last().and_then(|seen| seen.1)) {
            ("confirmed", _) => 200,
            ("unknown", _) if order.keyed => 202,
            ("unknown", _) => 504,
            (_, Some(status @ (400 | 409))) => status,
            _ => 502,
        };
        let lane = order.lane();
        self.count(format!("order_outcomes_total{{outcome=\"{outcome}\",lane=\"{lane}\"}}"));
        for (number, (result, ..)) in attempts.iter().enumerate() {
            // As it was asked for: the order service does not see what a flaky step came to.
            let fault = order.step(number).split(':').next().expect("a word");
            self.count(format!(
                "order_attempts_total{{result=\"{result}\",fault=\"{fault}\",lane=\"{lane}\"}}"
            ));
        }
        if attempts.len() > 1 {
            self.count(format!("order_retries_total{{lane=\"{lane}\"}}"));
        }
        CustomerResponse { status, outcome, attempts }
    }

    fn attempts(&mut self, order: &Order, quantity: u64) -> Vec<(&'static str, Option<u64>, u64)> {
        let item = order.item.to_lowercase();
        let mut first = self.send(order, 0);
        if first.commits_at.is_some_and(|at| at < TIMEOUT) {
            self.commit(&mut first, &item, quantity, false);
        }
        let seen = first.seen();
        if seen.0 != "timeout" || !order.retry {
            self.commit(&mut first, &item, quantity, false);
            return vec![seen];
        }
        let mut second = self.send(order, TIMEOUT);
        if second.commits_at < first.commits_at {
            self.commit(&mut second, &item, quantity, false);
            self.commit(&mut first, &item, quantity, second.committed == Some(true));
        } else {
            self.commit(&mut first, &item, quantity, false);
            self.commit(&mut second, &item, quantity, first.committed == Some(true));
        }
        vec![seen, second.seen()]
    }

    /// The fault of an attempt is decided when it arrives.
    pub(crate) fn send(&mut self, order: &Order, sent: u64) -> Attempt {
        let step = order.step(usize::from(sent > 0));
        let attempt = Attempt::read(order.lane(), step, sent, || {
            self.rolls += 1;
            self.dice.below(100)
        });
        if attempt.fault != "none" {
            self.count(format!("inventory_faults_total{{fault=\"{}\"}}", attempt.fault));
        }
        attempt
    }

    pub(crate) fn commit(
        &mut self,
        attempt: &mut Attempt,
        item: &str,
        quantity: u64,
        duplicate: bool,
    ) {
        let (Some(at), None) = (attempt.commits_at, attempt.committed) else { return };
        let left = self.left.get_mut(item).filter(|left| **left >= quantity);
        attempt.committed = Some(left.is_some());
        let Some(left) = left else { return };
        *left -= quantity;
        self.made_today += 1;
        let lane = attempt.lane;
        let mut count = |name: &str| {
            self.count(format!("inventory_{name}_total{{item=\"{item}\",lane=\"{lane}\"}}"));
        };
        count("reservations");
        if duplicate {
            count("duplicate_reservations");
        }
        if at > attempt.sent + TIMEOUT {
            count("late_commits");
        }
        if attempt.fault != "none" {
            let fault = attempt.fault;
            self.count(format!("inventory_fault_reservations_total{{fault=\"{fault}\"}}"));
        }
    }

    pub(crate) fn count(&mut self, series: String) {
        *self.counts.entry(series).or_default() += 1;
    }
}
