//! Storm: more customers for a few seconds, and an inventory that stays slow after they
//! have left. Naive retries keep it so; a retry budget lets it recover.

use std::ops::Range;
use std::time::Duration;

use super::words::instead;
use super::{Act, Experiment, Trial, Verdict};
use crate::messages::{Message, Value};

/// What happens in both lanes, at the same time. Times are in seconds, counted from the
/// first customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StormPlan {
    /// Customers who come in each second.
    pub(crate) rate: u32,
    /// Customers who come in each second of the storm on top of them.
    pub(crate) extra: u32,
    /// Reserve requests that the inventory works in a second.
    pub(crate) capacity: u32,
    pub(crate) storm_begins: u32,
    pub(crate) storm_ends: u32,
    pub(crate) ends: u32,
    /// How often a customer without a cake presses again.
    pub(crate) presses: u32,
    /// How long that customer waits before.
    pub(crate) pause: Duration,
}

/// How long an attempt of the order service may take.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Seconds over which goodput is compared: with fewer, chance would decide.
const WINDOW: u32 = 10;

/// Seconds in which goodput must be back before it counts as back.
const STEADY: u32 = 3;

/// Seconds after the storm within which the cured lane must be back.
const RECOVERY: u32 = 10;

const PLAN: StormPlan = StormPlan {
    rate: 10,
    extra: 30,
    capacity: 20,
    storm_begins: 12,
    storm_ends: 15,
    ends: 60,
    presses: 5,
    pause: Duration::from_millis(500),
};

// It is an overload during the storm, and none before and after it.
const _: () = assert!(PLAN.rate < PLAN.capacity && PLAN.rate + PLAN.extra > PLAN.capacity);

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "storm",
    trials: &[Trial { caption: "caption-storm-1", act: Act::Storm(PLAN, judge) }],
    side_by_side: &[],
    same_view: &[],
};

/// What came of one lane.
#[derive(Debug, Clone, Default)]
pub(crate) struct StormLane {
    /// Customers who were told in each second that their cake is reserved. While the storm
    /// goes on, these are the seconds that are over.
    pub(crate) goodput: Vec<u32>,
    /// Requests in the inventory's queue at the end of each second, if it told.
    pub(crate) queue: Vec<Option<u32>>,
    pub(crate) customers: u64,
    /// What the order service counted: attempts, those of them that were retries, and
    /// retries that it did not send.
    pub(crate) attempts: u64,
    pub(crate) retries: u64,
    pub(crate) refused: u64,
    /// Reservations that the inventory made after their caller had left.
    pub(crate) late: u64,
}

/// What came of both.
#[derive(Debug, Clone)]
pub(crate) struct Storm {
    pub(crate) plan: StormPlan,
    pub(crate) naive: StormLane,
    pub(crate) cured: StormLane,
}

/// Where a storm is in its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StormPhase {
    /// Its services start.
    Starting,
    /// Only the usual customers come.
    Before,
    /// More come.
    During,
    /// Only the usual customers come again.
    After,
}

impl Storm {
    /// A storm of which no second is over.
    pub(crate) fn begun(plan: StormPlan) -> Self {
        Self { plan, naive: StormLane::default(), cured: StormLane::default() }
    }

    /// How many seconds are over.
    pub(crate) fn seconds(&self) -> u32 {
        u32::try_from(self.naive.goodput.len()).unwrap_or(u32::MAX)
    }

    /// Where it is, while it goes on.
    pub(crate) fn phase(&self) -> StormPhase {
        match self.seconds() {
            0 => StormPhase::Starting,
            now if now < self.plan.storm_begins => StormPhase::Before,
            now if now < self.plan.storm_ends => StormPhase::During,
            _ => StormPhase::After,
        }
    }
}

impl StormPlan {
    /// When customers come, in rising order.
    pub(crate) fn arrivals(&self) -> Vec<Duration> {
        let every = |rate: u32, seconds: Range<u32>| {
            let (from, count) = (seconds.start, rate * (seconds.end - seconds.start));
            (0..count).map(move |n| {
                Duration::from_secs(from.into()) + Duration::from_secs(n.into()) / rate
            })
        };
        let usual = every(self.rate, 0..self.ends);
        let extra = every(self.extra, self.storm_begins..self.storm_ends);
        let mut all: Vec<_> = usual.chain(extra).collect();
        all.sort_unstable();
        all
    }

    /// The settings of the services that it runs on. The order service takes every order,
    /// so that what is seen is the inventory's overload. Nobody reads spans of a storm, and to
    /// export them would take time that a small machine needs.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("INVENTORY_CAPACITY", self.capacity.to_string()),
            ("INVENTORY_STOCK", "cake=1000000".to_owned()),
            ("INVENTORY_MAX_WORK", "1000".to_owned()),
            ("ORDER_ATTEMPT_TIMEOUT", format!("{}s", TIMEOUT.as_secs())),
            ("ORDER_RETRY_BUDGET", "0.1".to_owned()),
            ("ORDER_DEADLINE", "3s".to_owned()),
            ("ORDER_MAX_WORK", "6000".to_owned()),
            ("MAX_CONNECTIONS", "2000".to_owned()),
            ("OTEL_TRACES_EXPORTER", "none".to_owned()),
            ("OTEL_LOGS_EXPORTER", "none".to_owned()),
        ]
    }

    /// The seconds with which all others are compared; the first ones are left out, in which
    /// connections are made.
    pub(crate) fn before(&self) -> Range<u32> {
        self.storm_begins.saturating_sub(WINDOW)..self.storm_begins
    }

    pub(crate) fn during(&self) -> Range<u32> {
        self.storm_begins..self.storm_ends
    }

    /// The seconds in which the cured lane must be back.
    pub(crate) fn later(&self) -> Range<u32> {
        let from = self.storm_ends + RECOVERY;
        from..(from + WINDOW).min(self.ends)
    }

    pub(crate) fn last(&self) -> Range<u32> {
        self.ends.saturating_sub(WINDOW)..self.ends
    }
}

impl StormLane {
    /// Customers a second who were told yes in these seconds.
    pub(crate) fn rate(&self, seconds: Range<u32>) -> f64 {
        let length = f64::from(seconds.end - seconds.start);
        let told = self.goodput.iter().skip(seconds.start as usize);
        let told: u32 = told.take((seconds.end - seconds.start) as usize).sum();
        f64::from(told) / length
    }

    /// The seconds after the storm from which on goodput is as before, if it comes back. What
    /// was late and came at once does not make up for seconds without any.
    pub(crate) fn back_after(&self, plan: &StormPlan) -> Option<u32> {
        let usual = self.rate(plan.before());
        let told = |second: &u32| self.rate(*second..second + 1).min(usual);
        let is_back = |from: &u32| {
            (*from..from + STEADY).map(|second| told(&second)).sum::<f64>()
                >= BACK * usual * f64::from(STEADY)
        };
        (plan.storm_ends..=plan.ends - STEADY).find(is_back).map(|second| second - plan.storm_ends)
    }

    /// Attempts for each customer.
    pub(crate) fn attempts_each(&self) -> f64 {
        self.attempts as f64 / self.customers.max(1) as f64
    }

    /// How long the inventory needs for its queue, as it mostly was in these seconds.
    fn wait(&self, plan: &StormPlan, seconds: Range<u32>) -> Duration {
        let within = self.queue.iter().take(seconds.end as usize).skip(seconds.start as usize);
        let mut within: Vec<u32> = within.copied().flatten().collect();
        within.sort_unstable();
        let queue = within.get(within.len() / 2).copied().unwrap_or(0);
        Duration::from_secs(queue.into()) / plan.capacity
    }

    pub(crate) fn longest_queue(&self) -> u32 {
        self.queue.iter().flatten().copied().max().unwrap_or(0)
    }
}

/// The part of the goodput before the storm that counts as "back".
const BACK: f64 = 0.95;

/// The part below which it counts as "down".
const DOWN: f64 = 0.5;

/// The part of the customers who must be served before the storm, or the machine is too busy
/// to show anything.
const CALM: f64 = 0.95;

fn judge(storm: &Storm) -> Verdict {
    let Storm { plan, naive, cured } = storm;
    let (before, down) = (naive.rate(plan.before()), naive.rate(plan.last()));
    let (cured_before, back) = (cured.rate(plan.before()), cured.rate(plan.last()));
    let later = cured.rate(plan.later());
    let stays_down = down < DOWN * before;
    let comes_back = later.min(back) >= BACK * cured_before;
    // A lane that is down without a queue is down because the machine is busy.
    let (wait, cured_wait) = (naive.wait(plan, plan.last()), cured.wait(plan, plan.later()));
    let is_queue = (!stays_down || wait >= TIMEOUT) && (comes_back || cured_wait >= TIMEOUT);
    let calm = before.min(cured_before) >= CALM * f64::from(plan.rate) && is_queue;
    let said = |id: &'static str| {
        Message::new(id)
            .with("before", tenths(before))
            .with("naive", tenths(down))
            .with("attempts", tenths(naive.attempts_each()))
            .with("late", naive.late)
            .with("wait", wait)
            .with("later", tenths(later))
            .with("cured", tenths(back))
            .with("retries", cured.retries)
            .with("refused", cured.refused)
    };
    let shown = calm && stays_down && comes_back;
    // No span is read: goodput is what the customers saw.
    Verdict::of(shown, true, Vec::new(), || match (shown, calm) {
        (true, _) => said("why-storm-1"),
        (false, true) => instead(said("seen-storm")),
        (false, false) => instead(
            Message::new("seen-no-calm")
                .with("rate", plan.rate)
                .with("before", tenths(before.min(cured_before)))
                .with("wait", wait),
        ),
    })
}

/// A number with one digit after the point.
pub(crate) fn tenths(number: f64) -> Value {
    format!("{number:.1}").into()
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A storm of few customers.
    pub(crate) const PLAN: StormPlan = StormPlan {
        rate: 2,
        extra: 6,
        capacity: 4,
        storm_begins: 12,
        storm_ends: 15,
        ends: 60,
        presses: 5,
        pause: Duration::ZERO,
    };

    /// A storm after which the naive lane serves nobody any more.
    pub(crate) fn storm() -> Storm {
        let lane = |storm: &[u32], after| {
            let goodput = [&[2; 12][..], storm, &[after; 45]].concat();
            let queue = vec![None, Some(7)];
            StormLane { goodput, queue, customers: 138, attempts: 276, ..StormLane::default() }
        };
        Storm { plan: PLAN, naive: lane(&[4, 4, 0], 0), cured: lane(&[4, 3, 1], 2) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::Language;

    /// A lane that serves so many in each second: before the storm, in the ten seconds from its
    /// beginning, and after them. Its queue is long where it serves few.
    fn lane(before: u32, storm: u32, after: u32) -> StormLane {
        let goodput = (0..PLAN.ends).map(|second| match second {
            _ if second < PLAN.storm_begins => before,
            _ if second < PLAN.storm_begins + 10 => storm,
            _ => after,
        });
        let goodput: Vec<_> = goodput.collect();
        let queue = goodput.iter().map(|told| Some(if *told < 10 { 800 } else { 0 })).collect();
        StormLane { goodput, queue, customers: 690, attempts: 2_760, ..StormLane::default() }
    }

    fn verdict(naive: StormLane, cured: StormLane) -> Verdict {
        judge(&Storm { plan: PLAN, naive, cured })
    }

    fn is_shown(naive: StormLane, cured: StormLane) -> bool {
        verdict(naive, cured).conclusion.is_shown()
    }

    #[test]
    fn it_shows_where_naive_stays_down_and_cured_comes_back() {
        assert!(is_shown(lane(10, 5, 0), lane(10, 5, 10)));
        assert!(is_shown(lane(10, 0, 4), lane(10, 0, 10)));
        assert!(!is_shown(lane(10, 0, 5), lane(10, 0, 10)), "naive is back by half");
        assert!(!is_shown(lane(10, 0, 0), lane(10, 0, 9)), "cured is back by 90 % only");
    }

    #[test]
    fn a_machine_that_is_busy_is_not_taken_for_a_storm() {
        let busy = |naive, cured| {
            let verdict = verdict(naive, cured);
            assert!(!verdict.conclusion.is_shown());
            let why = Language::English.put(&verdict.why);
            assert!(why.contains("too busy"), "{why}");
        };
        busy(lane(9, 0, 0), lane(10, 0, 10));
        busy(lane(10, 0, 0), lane(9, 0, 9));
        // Nobody is served, and the inventory has nothing to do.
        let idle = |lane| StormLane { queue: vec![Some(3); 60], ..lane };
        busy(idle(lane(10, 0, 0)), lane(10, 0, 10));
        busy(lane(10, 0, 0), idle(lane(10, 0, 0)));
    }

    #[test]
    fn a_lane_that_comes_back_late_or_falls_again_is_not_back() {
        let with = |seconds: Range<usize>, told| {
            let mut lane = lane(10, 0, 10);
            lane.goodput[seconds].fill(told);
            lane
        };
        assert!(is_shown(lane(10, 0, 0), with(22..25, 0)), "ten seconds are given");
        assert!(!is_shown(lane(10, 0, 0), with(22..27, 0)), "twelve are not");
        assert!(!is_shown(lane(10, 0, 0), with(50..52, 0)), "it fell again");
        assert_eq!(lane(10, 0, 10).back_after(&PLAN), Some(7));
        assert_eq!(lane(10, 0, 9).back_after(&PLAN), None);
        assert_eq!(with(20..21, 30).back_after(&PLAN), Some(7), "a burst is no recovery");
    }

    #[test]
    fn the_load_after_the_storm_is_the_load_before_it() {
        let arrivals = PLAN.arrivals();
        let within = |seconds: Range<u32>| {
            let range =
                Duration::from_secs(seconds.start.into())..Duration::from_secs(seconds.end.into());
            arrivals.iter().filter(|at| range.contains(*at)).count()
        };
        assert!(arrivals.is_sorted());
        assert_eq!((within(PLAN.before()), within(PLAN.last())), (100, 100));
        assert_eq!(within(PLAN.during()), 120);
        assert_eq!(within(0..PLAN.ends), arrivals.len());
    }
}
