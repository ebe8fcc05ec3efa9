//! Questions about lessons that are told as a table: each is judged by what the run measured.

use std::sync::Arc;

use campuscafe_api::order::Outcome;

use super::{Answer, Kind, Question};
use crate::lessons::{Evidence, Finding, LocalAndRemote, Series, SeriesResult, Storm};

/// The field of every one of them: a lesson has one.
const FIELD: &str = "choice";

const fn question(
    asks: &'static str,
    words: &'static str,
    values: &'static [&'static str],
    truth: fn(&[Arc<Finding>]) -> Option<Answer>,
) -> Question {
    Question { field: FIELD, asks, kind: Kind::Choice { words, values }, truth }
}

const LOCAL: Question =
    question("ask-local", "ratio", &["below-10", "below-1000", "above"], |findings| {
        let Evidence::Calls(calls) = sole(findings)? else { return None };
        ratio(calls).map(Answer::Choice)
    });

const JITTER: Question = question("ask-jitter", "orders", &["none", "some", "all"], |findings| {
    let series = sole_series(findings)?;
    let in_time = series.results.iter().filter(|one| one.outcome() == Outcome::Confirmed).count();
    some_of(in_time, series.results.len()).map(Answer::Choice)
});

const RECOVER: Question = question("ask-recover", "later", &["confirmed", "never"], |findings| {
    recovers(&sole_series(findings)?.results).map(Answer::Choice)
});

const REORDER: Question = question("ask-reorder", "answers", &["sent", "other"], |findings| {
    let Evidence::Pings(batch) = sole(findings)? else { return None };
    Some(Answer::Choice(if batch.report.inversions > 0 { "other" } else { "sent" }))
});

const NATURE: Question = question("ask-nature", "rounds", &["none", "some", "all"], |findings| {
    let Evidence::Rounds(rounds) = sole(findings)? else { return None };
    some_of(rounds.reordered(), rounds.inversions.len()).map(Answer::Choice)
});

const POLICY: Question =
    question("ask-policy", "retry", &["better", "price", "same"], |findings| {
        price_of_retry(sole_series(findings)?).map(Answer::Choice)
    });

const STORM: Question = question("ask-storm", "then", &["soon", "later", "down"], |findings| {
    let Evidence::Storm(storm) = sole(findings)? else { return None };
    Some(Answer::Choice(comes_back(storm)))
});

/// What is asked before a run of this experiment.
pub(super) fn of(experiment: &str) -> &'static [&'static Question] {
    match experiment {
        "local" => &[&LOCAL],
        "jitter" => &[&JITTER],
        "recover" => &[&RECOVER],
        "reorder" => &[&REORDER],
        "nature" => &[&NATURE],
        "policy" => &[&POLICY],
        "storm" => &[&STORM],
        _ => &[],
    }
}

fn sole(findings: &[Arc<Finding>]) -> Option<&Evidence> {
    let [finding] = findings else { return None };
    Some(&finding.evidence)
}

fn sole_series(findings: &[Arc<Finding>]) -> Option<&Series> {
    let Evidence::Series(series) = sole(findings)? else { return None };
    Some(series)
}

/// How many times as long as the median local call the median remote call took.
fn ratio(calls: &LocalAndRemote) -> Option<&'static str> {
    let [local, remote] = [&calls.local, &calls.remote].map(|of| of.percentile(50).as_nanos());
    Some(match remote.checked_div(local)? {
        0..10 => "below-10",
        10..1_000 => "below-1000",
        _ => "above",
    })
}

fn some_of(count: usize, all: usize) -> Option<&'static str> {
    match count {
        _ if all == 0 => None,
        0 => Some("none"),
        _ if count == all => Some("all"),
        _ => Some("some"),
    }
}

/// Whether an order is confirmed after the first one that was not.
fn recovers(results: &[SeriesResult]) -> Option<&'static str> {
    let mut after =
        results.iter().map(SeriesResult::outcome).skip_while(|one| *one == Outcome::Confirmed);
    after.next()?;
    Some(if after.any(|one| one == Outcome::Confirmed) { "confirmed" } else { "never" })
}

/// Whether, and when, the naive lane serves as many as before its storm.
fn comes_back(storm: &Storm) -> &'static str {
    match storm.naive.back_after(&storm.plan) {
        Some(0..=10) => "soon",
        Some(_) => "later",
        None => "down",
    }
}

/// What a retry changes under the shorter limit; the groups are in the order of the policies.
fn price_of_retry(series: &Series) -> Option<&'static str> {
    let groups = series.groups();
    let [once, retried, ..] = &groups[..] else { return None };
    // An order whose spans are not whole may have been reserved twice as well.
    let mut of_retried = series.results.iter().filter(|one| one.sent.group == retried.name);
    let is_open = of_retried.any(|one| one.commits.is_none());
    match (retried.confirmed > once.confirmed, retried.doubled) {
        (false, _) => Some("same"),
        (true, 0) if is_open => None,
        (true, 0) => Some("better"),
        (true, _) => Some("price"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use campuscafe_api::order::{AttemptResult, PlaceOrder};

    use super::*;
    use crate::lessons::series_testing::{result, series};
    use crate::lessons::storm_testing::storm;
    use crate::lessons::{Calls, SeriesOrder};
    use crate::page::Case;

    /// An order of a group, with so many commits.
    fn order(group: &'static str, outcome: Outcome, commits: u64) -> SeriesResult {
        let sent = SeriesOrder { group, order: PlaceOrder::of("cake") };
        result(sent, outcome, &[AttemptResult::Ok], 5, commits)
    }

    #[test]
    fn every_lesson_but_free_play_has_a_question() {
        for case in Case::lessons() {
            assert_eq!(case.questions().is_empty(), case.is_free(), "{}", case.path());
        }
    }

    #[test]
    fn a_ratio_is_that_of_the_medians_and_there_is_none_without_a_local_time() {
        for (local, remote, expected) in [
            (100, 900, Some("below-10")),
            (100, 1_000, Some("below-1000")),
            (100, 99_999, Some("below-1000")),
            (100, 100_000, Some("above")),
            (0, 100, None),
        ] {
            let of = |nanos| Calls::new(vec![Duration::from_nanos(nanos); 3], 0);
            let calls = LocalAndRemote { local: of(local), remote: of(remote), trace_id: None };
            assert_eq!(ratio(&calls), expected, "{local} {remote}");
        }
    }

    #[test]
    fn some_are_neither_none_nor_all() {
        let counts = [(0, 20), (1, 20), (20, 20), (0, 0)].map(|(count, all)| some_of(count, all));
        assert_eq!(counts, [Some("none"), Some("some"), Some("all"), None]);
    }

    #[test]
    fn an_order_recovers_if_one_is_confirmed_after_one_that_was_not() {
        use Outcome::{Confirmed, Failed, Unknown};
        for (outcomes, expected) in [
            (&[Confirmed, Failed, Unknown, Confirmed][..], Some("confirmed")),
            (&[Confirmed, Confirmed, Failed], Some("never")),
            (&[Failed, Unknown], Some("never")),
            (&[Unknown, Confirmed], Some("confirmed")),
            (&[Confirmed, Confirmed], None),
            (&[], None),
        ] {
            let results: Vec<_> = outcomes.iter().map(|one| order("", *one, 1)).collect();
            assert_eq!(recovers(&results), expected, "{outcomes:?}");
        }
    }

    #[test]
    fn a_naive_lane_is_down_after_its_storm_unless_it_serves_as_many_as_before() {
        let served = |from: usize| {
            let mut storm = storm();
            storm.naive.goodput[from..].fill(2);
            comes_back(&storm)
        };
        assert_eq!(comes_back(&storm()), "down");
        assert_eq!((served(25), served(26), served(58)), ("soon", "later", "down"));
    }

    #[test]
    fn a_retry_has_a_price_where_it_confirms_more_and_doubles_some() {
        use Outcome::{Confirmed, Unknown};
        let lost = |group, outcome| SeriesResult { commits: None, ..order(group, outcome, 0) };
        let once = || lost("once", Unknown);
        for (retried, expected) in [
            (vec![order("again", Confirmed, 2), lost("again", Unknown)], Some("price")),
            (vec![order("again", Confirmed, 1)], Some("better")),
            (vec![order("again", Unknown, 2)], Some("same")),
            (vec![order("again", Confirmed, 1), lost("again", Unknown)], None),
        ] {
            let results = [once(), once()].into_iter().chain(retried).collect();
            assert_eq!(price_of_retry(&series(results)), expected);
        }
    }
}
