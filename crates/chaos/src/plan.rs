//! Which step belongs to which attempt, and what it comes to.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::{Fault, ParseError, SplitMix64, parse};

/// What was asked for one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A fault that is named.
    Fixed(Fault),
    /// Slow, for a time between these two.
    SlowBetween(Duration, Duration),
    /// 35 %: fail; the next 35 %: slow:1500; else nothing.
    Flaky,
}

impl Step {
    /// The names of all steps, for counters that must exist from the start.
    pub const NAMES: [&'static str; 10] = [
        "none",
        "slow",
        "fail",
        "slowfail",
        "abort",
        "flaky",
        "lostreply",
        "slowreply",
        "hold",
        "race",
    ];

    /// The step's name without its argument. A flaky step stays flaky: what it
    /// comes to is decided where it acts.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Fixed(fault) => fault.name(),
            Self::SlowBetween(..) => "slow",
            Self::Flaky => "flaky",
        }
    }

    /// What the step comes to. A [`Step::Fixed`] needs no random number, and then
    /// `random` is not called.
    pub fn resolve(self, random: impl FnOnce() -> SplitMix64) -> Fault {
        match self {
            Self::Fixed(fault) => fault,
            Self::SlowBetween(from, to) => {
                let [from, to] = [from, to].map(|wait| wait.as_millis() as u64);
                Fault::Slow(Duration::from_millis(from + random().below(to - from + 1)))
            }
            Self::Flaky => match random().percent() {
                0..35 => Fault::Fail(Fault::DEFAULT_STATUS),
                35..70 => Fault::Slow(Duration::from_millis(1500)),
                _ => Fault::None,
            },
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(fault) => fault.fmt(f),
            Self::SlowBetween(from, to) => {
                write!(f, "slow:{}-{}", from.as_millis(), to.as_millis())
            }
            Self::Flaky => f.write_str("flaky"),
        }
    }
}

/// The steps that successive attempts meet. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    first: Step,
    rest: Vec<Step>,
}

impl Plan {
    pub(crate) fn new(first: Step, rest: Vec<Step>) -> Self {
        Self { first, rest }
    }

    /// Its steps, in their order.
    pub fn steps(&self) -> impl Iterator<Item = Step> {
        std::iter::once(self.first).chain(self.rest.iter().copied())
    }

    /// Whether every attempt meets the same step.
    #[must_use]
    pub const fn is_uniform(&self) -> bool {
        self.rest.is_empty()
    }

    /// The step of an attempt, 1 for the first; past the end the last repeats.
    #[must_use]
    pub fn step(&self, attempt: u32) -> Step {
        let steps = self.rest.len();
        match usize::try_from(attempt.saturating_sub(2)).unwrap_or(usize::MAX) {
            _ if attempt <= 1 || steps == 0 => self.first,
            index => self.rest[index.min(steps - 1)],
        }
    }
}

/// No faults: what holds unless something else is asked for.
impl Default for Plan {
    fn default() -> Self {
        Self::new(Step::Fixed(Fault::None), Vec::new())
    }
}

impl FromStr for Plan {
    type Err = ParseError;

    /// # Errors
    ///
    /// When a word is not known, an argument does not fit or the plan is too long.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse::plan(text)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        self.rest.iter().try_for_each(|step| write!(f, ",{step}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{After, Before};

    fn faults(plan: &str, attempts: u32) -> Vec<String> {
        let plan: Plan = plan.parse().unwrap();
        (1..=attempts).map(|n| plan.step(n).to_string()).collect()
    }

    #[test]
    fn the_nth_attempt_takes_the_nth_step_and_the_last_repeats() {
        for (plan, expected) in [
            ("slow", ["slow:2000", "slow:2000", "slow:2000"]),
            ("slow,none", ["slow:2000", "none", "none"]),
            ("slow,fail,abort", ["slow:2000", "fail:503", "abort"]),
            ("none, flaky", ["none", "flaky", "flaky"]),
        ] {
            assert_eq!(faults(plan, 3), expected, "{plan}");
        }
        let plan: Plan = "slow,none".parse().unwrap();
        assert_eq!(plan.step(u32::MAX), plan.step(2));
        assert_eq!(plan.step(0), plan.step(1));
        assert!(!plan.is_uniform());
        assert!("slow".parse::<Plan>().unwrap().is_uniform());
        let steps: Vec<_> = plan.steps().collect();
        assert_eq!(steps, [plan.step(1), plan.step(2)]);
    }

    #[test]
    fn a_range_is_slow_for_any_time_within_it_and_the_same_for_the_same_number() {
        let step = "slow:200-1800".parse::<Plan>().unwrap().step(1);
        assert_eq!((step.to_string().as_str(), step.name()), ("slow:200-1800", "slow"));
        let waits: Vec<u128> = (0..2_000)
            .map(|count| match step.resolve(|| SplitMix64::nth(7, count)).before_commit() {
                Before::WaitThenCommit(wait) => wait.as_millis(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(waits.iter().all(|wait| (200..=1_800).contains(wait)));
        assert!(waits.iter().any(|wait| *wait < 250) && waits.iter().any(|wait| *wait > 1_750));
        let exact = "slow:5-5".parse::<Plan>().unwrap().step(1);
        assert_eq!(exact.resolve(|| SplitMix64::nth(1, 1)).to_string(), "slow:5");
    }

    #[test]
    fn flaky_fails_in_35_percent_is_slow_in_the_next_35_and_else_healthy() {
        let fault = |count| Step::Flaky.resolve(|| SplitMix64::nth(1, count)).to_string();
        // The counts at which the seed 1 first gives the percents at the edges.
        for (count, percent, expected) in [
            (60, 0, "fail:503"),
            (83, 34, "fail:503"),
            (3, 35, "slow:1500"),
            (84, 69, "slow:1500"),
            (11, 70, "none"),
            (177, 99, "none"),
        ] {
            assert_eq!(SplitMix64::nth(1, count).percent(), percent);
            assert_eq!(fault(count), expected, "{percent} %");
        }
        let times = |word| (0..10_000).filter(|count| fault(*count) == word).count();
        assert_eq!(["fail:503", "slow:1500", "none"].map(times), [3_602, 3_454, 2_944]);
    }

    #[test]
    fn every_step_has_one_of_the_names_of_the_language() {
        let plan: Plan = "none,slow:7,fail:404,slowfail".parse().unwrap();
        let other: Plan = "abort,flaky,lostreply,slowreply,hold,race".parse().unwrap();
        let steps = (1..=4).map(|n| plan.step(n)).chain((1..=6).map(|n| other.step(n)));
        let names: Vec<_> = steps.map(|step| step.name()).collect();
        assert_eq!(names, Step::NAMES);
        assert!(Fault::NAMES.iter().all(|name| names.contains(name)));
    }

    #[test]
    fn a_fixed_fault_takes_no_random_number() {
        let fault = Step::Fixed(Fault::Abort).resolve(|| unreachable!("nothing to choose"));
        assert_eq!(fault, Fault::Abort);
    }

    #[test]
    fn each_fault_stands_where_the_language_says() {
        let two = Duration::from_secs(2);
        for (word, before, after) in [
            ("none", Before::Commit, After::Reply),
            ("slow", Before::WaitThenCommit(two), After::Reply),
            ("slow:1500", Before::WaitThenCommit(Duration::from_millis(1500)), After::Reply),
            ("fail", Before::WaitThenFail(Duration::ZERO, 503), After::Reply),
            ("fail:418", Before::WaitThenFail(Duration::ZERO, 418), After::Reply),
            ("slowfail", Before::WaitThenFail(two, 503), After::Reply),
            ("abort", Before::Cut, After::Reply),
            ("lostreply", Before::Commit, After::Cut),
            ("slowreply", Before::Commit, After::WaitThenReply(two)),
            ("hold", Before::Commit, After::HoldThenReply(Duration::from_mins(1))),
            ("hold:5000", Before::Commit, After::HoldThenReply(Duration::from_secs(5))),
            ("race", Before::ReadThenWait(Duration::from_millis(100)), After::Reply),
            ("race:2000", Before::ReadThenWait(two), After::Reply),
        ] {
            let fault = word.parse::<Plan>().unwrap().step(1).resolve(|| unreachable!());
            assert_eq!((fault.before_commit(), fault.after_commit()), (before, after), "{word}");
            assert_eq!(fault.is_active(), word != "none");
            let waits = fault.to_string().contains(':') && !word.starts_with("fail");
            assert_eq!(fault.waits(), waits, "{word}");
            assert!(!fault.is_active() || Fault::NAMES.contains(&fault.name()), "{word}");
        }
    }

    #[test]
    fn what_is_displayed_parses_back_to_the_same_plan() {
        for text in
            ["none", "slow:7,fail:404,slowfail,abort,flaky,lostreply,slowreply:0,hold,race:9,race"]
        {
            let plan: Plan = text.parse().unwrap();
            assert_eq!(plan.to_string().parse::<Plan>().unwrap(), plan);
        }
    }
}
