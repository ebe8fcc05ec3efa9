//! Which faults, and how often.

use std::fmt;
use std::str::FromStr;

use campuscafe_chaos::{Plan, SplitMix64};

/// The most entries a mix may have.
const MAX_ENTRIES: usize = 20;

/// The largest weight, so that sums stay far from any bound.
const MAX_WEIGHT: u64 = 1_000_000;

/// Plans by weight. Never empty, and never of no weight at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mix {
    entries: Vec<(Plan, u64)>,
    total: u64,
}

impl Mix {
    /// The plan of an order, by a throw of the dice.
    pub(crate) fn choose(&self, roll: SplitMix64) -> Plan {
        let mut left = roll.below(self.total);
        for (plan, weight) in &self.entries {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return plan.clone(),
            }
        }
        Plan::default()
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let entries = text.split(',').map(entry).collect::<Result<Vec<_>, _>>()?;
        if entries.len() > MAX_ENTRIES {
            return Err(format!("expected at most {MAX_ENTRIES} plans, got {}", entries.len()));
        }
        let total = entries.iter().map(|(_, weight)| weight).sum();
        if total == 0 {
            return Err("expected at least one weight above 0".to_owned());
        }
        Ok(Self { entries, total })
    }
}

fn entry(text: &str) -> Result<(Plan, u64), String> {
    let (plan, weight) =
        text.split_once('=').ok_or_else(|| format!("expected plan=weight, got {text:?}"))?;
    let plan = plan.replace('+', ",").parse().map_err(|error| format!("{error}"))?;
    let weight = weight
        .trim()
        .parse()
        .ok()
        .filter(|weight| *weight <= MAX_WEIGHT)
        .ok_or_else(|| format!("expected a weight from 0 to {MAX_WEIGHT}, got {weight:?}"))?;
    Ok((plan, weight))
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (plan, weight)) in self.entries.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{}={weight}", plan.to_string().replace(',', "+"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn shares_follow_the_weights_and_the_seed() {
        let mix: Mix = "none=90,slow=5,flaky=5,abort=0".parse().unwrap();
        let chosen = |seed| -> Vec<String> {
            (0..10_000).map(|n| mix.choose(SplitMix64::nth(seed, n)).to_string()).collect()
        };
        assert_eq!(chosen(1), chosen(1));
        assert_ne!(chosen(1), chosen(2));
        let mut shares = BTreeMap::<String, u32>::new();
        for plan in chosen(1) {
            *shares.entry(plan).or_default() += 1;
        }
        assert!((8_800..9_200).contains(&shares["none"]), "{shares:?}");
        assert!((400..600).contains(&shares["slow:2000"]), "{shares:?}");
        assert!((400..600).contains(&shares["flaky"]), "{shares:?}");
        assert!(!shares.contains_key("abort"), "a weight of 0 is never chosen");
    }

    #[test]
    fn a_plus_joins_the_steps_of_a_plan() {
        let mix: Mix = " slow:10+none = 1".parse().unwrap();
        assert_eq!(mix.choose(SplitMix64::nth(0, 0)).to_string(), "slow:10,none");
        assert_eq!(mix.to_string(), "slow:10+none=1");
    }

    #[test]
    fn a_mix_that_cannot_be_meant_is_refused_with_what_was_expected() {
        for (text, expected) in [
            ("", "expected plan=weight, got \"\""),
            ("none", "expected plan=weight, got \"none\""),
            ("none=1,", "expected plan=weight, got \"\""),
            ("slwo=1", "unknown fault \"slwo\""),
            ("none=-1", "expected a weight from 0 to 1000000, got \"-1\""),
            ("none=1000001", "expected a weight from 0 to 1000000"),
            ("none=0,slow=0", "expected at least one weight above 0"),
        ] {
            let error = text.parse::<Mix>().unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
        let many = ["none=1"; 21].join(",");
        assert_eq!(many.parse::<Mix>().unwrap_err(), "expected at most 20 plans, got 21");
    }
}
