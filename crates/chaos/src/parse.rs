//! From text to a plan, or to a refusal that says what was expected.

use std::time::Duration;

use crate::{Fault, Plan, Step};

/// The longest plan that is read, in bytes.
pub const MAX_PLAN_LENGTH: usize = 256;

/// The most steps a plan may have.
pub const MAX_STEPS: usize = 16;

/// The longest wait or hold that can be asked for.
pub const MAX_WAIT: Duration = Duration::from_mins(1);

const STATUSES: std::ops::RangeInclusive<u16> = 400..=599;

/// Why a plan was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// More text than a plan needs.
    #[error("the plan is {0} bytes long; expected at most {MAX_PLAN_LENGTH}")]
    TooLong(usize),
    /// More steps than a plan needs.
    #[error("the plan has {0} steps; expected at most {MAX_STEPS}")]
    TooManySteps(usize),
    /// A step that starts with no word of the language.
    #[error(
        "unknown fault {0:?}; the known faults are none, slow[:ms|:from-to], fail[:status], slowfail[:ms], abort, \
         flaky, lostreply, slowreply[:ms], hold[:ms], race[:ms]; separate several with commas"
    )]
    UnknownWord(String),
    /// An argument where the word takes none.
    #[error("{word} takes no argument, but got {argument:?}")]
    NoArgument {
        /// The word as the language spells it.
        word: &'static str,
        /// What stood behind the colon.
        argument: String,
    },
    /// A wait that is not a number of milliseconds within bounds.
    #[error("{word}:{argument:?} is not a wait; expected milliseconds from 0 to {}", MAX_WAIT.as_millis())]
    BadWait {
        /// The word as the language spells it.
        word: &'static str,
        /// What stood behind the colon.
        argument: String,
    },
    /// A range of waits whose ends are not waits, or are in the wrong order.
    #[error("slow:{0:?} is not a range of waits; expected the shorter and the longer one in milliseconds, \
             as in slow:200-1800, up to {most}", most = MAX_WAIT.as_millis())]
    BadRange(String),
    /// A status that no failing answer has.
    #[error("fail:{0:?} is not a failing status; expected {start} to {end}", start = STATUSES.start(), end = STATUSES.end())]
    BadStatus(String),
}

/// A blank plan asks for nothing, so it is no fault; a blank step within a
/// plan is more likely a slip, and refused.
pub(crate) fn plan(text: &str) -> Result<Plan, ParseError> {
    if text.len() > MAX_PLAN_LENGTH {
        return Err(ParseError::TooLong(text.len()));
    }
    if text.trim().is_empty() {
        return Ok(Plan::default());
    }
    let count = text.split(',').count();
    if count > MAX_STEPS {
        return Err(ParseError::TooManySteps(count));
    }
    let mut steps = text.split(',').map(step);
    let first = steps.next().unwrap_or_else(|| step(""))?;
    Ok(Plan::new(first, steps.collect::<Result<_, _>>()?))
}

fn step(text: &str) -> Result<Step, ParseError> {
    let text = text.trim();
    let (word, argument) = match text.split_once(':') {
        Some((word, argument)) => (word.trim_end(), Some(argument.trim_start())),
        None => (text, None),
    };
    let fault = match word.to_ascii_lowercase().as_str() {
        "none" => plain("none", argument, Fault::None)?,
        "abort" => plain("abort", argument, Fault::Abort)?,
        "lostreply" => plain("lostreply", argument, Fault::LostReply)?,
        "flaky" => {
            plain("flaky", argument, Fault::None)?;
            return Ok(Step::Flaky);
        }
        "slow" if argument.is_some_and(|argument| argument.contains('-')) => {
            return range(argument.unwrap_or_default());
        }
        "slow" => Fault::Slow(wait("slow", argument, Fault::DEFAULT_WAIT)?),
        "slowfail" => Fault::SlowFail(wait("slowfail", argument, Fault::DEFAULT_WAIT)?),
        "slowreply" => Fault::SlowReply(wait("slowreply", argument, Fault::DEFAULT_WAIT)?),
        "hold" => Fault::Hold(wait("hold", argument, MAX_WAIT)?),
        "race" => Fault::Race(wait("race", argument, Fault::DEFAULT_RACE)?),
        "fail" => Fault::Fail(status(argument)?),
        _ => return Err(ParseError::UnknownWord(text.to_owned())),
    };
    Ok(Step::Fixed(fault))
}

fn plain(word: &'static str, argument: Option<&str>, fault: Fault) -> Result<Fault, ParseError> {
    match argument {
        None => Ok(fault),
        Some(argument) => Err(ParseError::NoArgument { word, argument: argument.to_owned() }),
    }
}

fn wait(
    word: &'static str,
    argument: Option<&str>,
    default: Duration,
) -> Result<Duration, ParseError> {
    let Some(argument) = argument else { return Ok(default) };
    digits(argument)
        .map(Duration::from_millis)
        .filter(|wait| *wait <= MAX_WAIT)
        .ok_or_else(|| ParseError::BadWait { word, argument: argument.to_owned() })
}

fn range(argument: &str) -> Result<Step, ParseError> {
    let bad = || ParseError::BadRange(argument.to_owned());
    let (from, to) = argument.split_once('-').ok_or_else(bad)?;
    let [from, to] = [from, to].map(|text| wait("slow", Some(text.trim()), Duration::ZERO));
    match (from, to) {
        (Ok(from), Ok(to)) if from <= to => Ok(Step::SlowBetween(from, to)),
        _ => Err(bad()),
    }
}

fn status(argument: Option<&str>) -> Result<u16, ParseError> {
    let Some(argument) = argument else { return Ok(Fault::DEFAULT_STATUS) };
    digits(argument)
        .and_then(|status| u16::try_from(status).ok())
        .filter(|status| STATUSES.contains(status))
        .ok_or_else(|| ParseError::BadStatus(argument.to_owned()))
}

/// Rust's own parser also takes a leading `+`, which a `+` for a blank in a
/// query string would turn into.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn letter_case_and_outer_spaces_do_not_matter() {
        let plan: Plan = "slow:10,none".parse().unwrap();
        for text in ["SLOW:10,None", "  slow:10 , none  ", "Slow : 10,\tnone"] {
            assert_eq!(text.parse::<Plan>().unwrap(), plan, "{text:?}");
        }
    }

    #[test]
    fn a_range_has_two_waits_in_order_and_nothing_else() {
        for text in ["slow:0-60000", "slow: 200 - 1800"] {
            assert!(
                matches!(text.parse::<Plan>().unwrap().step(1), Step::SlowBetween(..)),
                "{text}"
            );
        }
        for text in
            ["slow:-", "slow:1-", "slow:-1", "slow:2-1", "slow:1-60001", "slow:1-2-3", "slow:+1-2"]
        {
            let error = text.parse::<Plan>().unwrap_err();
            assert!(matches!(error, ParseError::BadRange(_)), "{text}: {error}");
        }
        for text in ["slowfail:1-2", "slowreply:1-2", "hold:1-2", "race:1-2", "fail:500-501"] {
            assert!(text.parse::<Plan>().is_err(), "{text}: only slow has a range");
        }
    }

    #[test]
    fn a_blank_plan_is_no_fault() {
        for text in ["", "  "] {
            assert_eq!(text.parse::<Plan>().unwrap(), Plan::default());
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_with_what_was_expected() {
        for (text, expected) in [
            (
                "slwo",
                "unknown fault \"slwo\"; the known faults are none, slow[:ms|:from-to], fail[:status], slowfail[:ms], abort, flaky, lostreply, slowreply[:ms], hold[:ms], race[:ms]; separate several with commas",
            ),
            ("slow,,none", "unknown fault \"\""),
            (",", "unknown fault \"\""),
            ("slow;none", "unknown fault \"slow;none\""),
            ("slöw", "unknown fault \"slöw\""),
            ("none:1", "none takes no argument, but got \"1\""),
            ("flaky:35", "flaky takes no argument, but got \"35\""),
            ("abort:", "abort takes no argument, but got \"\""),
            ("slow:", "slow:\"\" is not a wait; expected milliseconds from 0 to 60000"),
            ("slow:2s", "slow:\"2s\" is not a wait"),
            ("slow:-1", "slow:\"-1\" is not a range of waits; expected the shorter and the longer"),
            ("slow:+1", "slow:\"+1\" is not a wait"),
            ("slow:1.5", "slow:\"1.5\" is not a wait"),
            ("hold:60001", "hold:\"60001\" is not a wait; expected milliseconds from 0 to 60000"),
            ("slow:99999999999999999999999", "slow:\"99999999999999999999999\" is not a wait"),
            ("fail:200", "fail:\"200\" is not a failing status; expected 400 to 599"),
            ("fail:600", "fail:\"600\" is not a failing status"),
            ("fail:65939", "fail:\"65939\" is not a failing status"),
        ] {
            let message = text.parse::<Plan>().unwrap_err().to_string();
            assert!(message.starts_with(expected), "{text:?} gave {message:?}");
        }
    }

    #[test]
    fn a_plan_of_ten_thousand_characters_is_refused_without_repeating_it() {
        let error = "slow,".repeat(2_000).parse::<Plan>().unwrap_err();
        assert_eq!(error.to_string(), "the plan is 10000 bytes long; expected at most 256");
        let error = ["none"; 17].join(",").parse::<Plan>().unwrap_err();
        assert_eq!(error.to_string(), "the plan has 17 steps; expected at most 16");
    }

    #[test]
    fn the_bounds_themselves_are_allowed() {
        for text in ["slow:0", "hold:60000", "fail:400", "fail:599", &["none"; 16].join(",")] {
            assert!(text.parse::<Plan>().is_ok(), "{text}");
        }
    }

    /// Pieces that plans are made of, and pieces that they are not.
    const PIECES: [&str; 29] = [
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
        "SLOW",
        "sl",
        ":",
        ":",
        ":",
        ",",
        ",",
        ",",
        " ",
        "0",
        "1",
        "503",
        "60000",
        "60001",
        "99999999999999999999",
        "-",
        "+",
        "ö",
        "\u{0}",
    ];

    #[test]
    fn whatever_is_thrown_together_is_a_plan_that_reads_back_or_a_refusal() {
        let (mut plans, mut refusals) = (0, 0);
        for seed in 0..50_000 {
            let dice = |n| crate::SplitMix64::nth(seed, n);
            let length = dice(0).below(8);
            let text: String =
                (1..=length).map(|n| PIECES[dice(n).below(PIECES.len() as u64) as usize]).collect();
            match text.parse::<Plan>() {
                Ok(plan) => {
                    plans += 1;
                    assert_eq!(plan.to_string().parse::<Plan>().as_ref(), Ok(&plan), "{text:?}");
                    for attempt in [0, 1, 2, u32::MAX] {
                        let fault = plan.step(attempt).resolve(|| dice(9));
                        assert_eq!(
                            fault
                                .to_string()
                                .parse::<Plan>()
                                .map(|p| p.step(1).resolve(|| dice(9))),
                            Ok(fault)
                        );
                    }
                }
                Err(refusal) => {
                    refusals += 1;
                    assert!(refusal.to_string().len() < 600, "{refusal}");
                }
            }
        }
        assert!(plans > 5_000 && refusals > 5_000, "both kinds are tried: {plans}, {refusals}");
    }
}
