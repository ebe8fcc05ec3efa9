//! Jitter: the same request does not take the same time twice.

use campuscafe_api::order::{Outcome, PlaceOrder};

use super::series::{Layout, Series, SeriesOrder, SeriesPlan};
use super::{Act, Experiment, Trial, Verdict};
use crate::messages::Message;

const ORDERS: usize = 20;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "jitter",
    trials: &[Trial {
        caption: "caption-jitter-1",
        act: Act::Series(SeriesPlan { orders, at_once: 10, layout: Layout::Bars }, judge),
    }],
    side_by_side: &[],
    same_view: &[],
};

fn orders(item: &str, _: u64) -> Vec<SeriesOrder> {
    let order = PlaceOrder { chaos: Some("slow:200-1800".to_owned()), ..PlaceOrder::of(item) };
    vec![SeriesOrder { group: "identical-orders", order }; ORDERS]
}

fn judge(series: &Series) -> Verdict {
    let results = &series.results;
    let times = results.iter().map(|one| one.response.after);
    let (shortest, longest) = (times.clone().min(), times.max());
    let in_time = results.iter().filter(|one| one.outcome() == Outcome::Confirmed).count();
    let late = results.iter().filter(|one| one.timed_out()).count();
    let made: u64 = results.iter().filter_map(|one| one.commits).sum();
    let told = in_time > 0 && late > 0 && in_time + late == results.len();
    series.judged(told, made == results.len() as u64, || {
        Message::new("why-jitter-1")
            .with("orders", results.len())
            .with("confirmed", in_time)
            .with("late", late)
            .with("shortest", shortest.unwrap_or_default())
            .with("longest", longest.unwrap_or_default())
            .with("made", made)
    })
}

#[cfg(test)]
mod tests {
    use campuscafe_api::order::AttemptResult::{Ok, Timeout};

    use super::super::series::testing::{result, series};
    use super::*;

    #[test]
    fn without_spans_it_is_incomplete_because_nobody_knows_what_was_reserved() {
        let results = orders("cake", 7).into_iter().enumerate().map(|(n, sent)| {
            let (outcome, attempt) =
                if n < 8 { (Outcome::Unknown, Timeout) } else { (Outcome::Confirmed, Ok) };
            let mut result = result(sent, outcome, &[attempt], 1_000, 1);
            result.commits = None;
            result
        });
        let verdict = judge(&series(results.collect()));
        assert_eq!(verdict.conclusion, crate::lessons::Conclusion::Incomplete);
        assert_eq!(verdict.incomplete, [Message::new("flaw-orders").with("count", 20_usize)]);
    }

    #[test]
    fn it_shows_only_where_some_are_in_time_and_some_are_not_and_all_were_reserved() {
        for (late, lost, shown) in [(8, 0, true), (0, 0, false), (20, 0, false), (8, 1, false)] {
            let results = orders("cake", 7).into_iter().enumerate().map(|(n, sent)| {
                let commits = u64::from(n >= lost);
                match n < late {
                    true => result(sent, Outcome::Unknown, &[Timeout], 1_000, commits),
                    false => result(sent, Outcome::Confirmed, &[Ok], 300, commits),
                }
            });
            let verdict = judge(&series(results.collect()));
            assert_eq!(verdict.conclusion.is_shown(), shown, "{late}: {verdict:?}");
        }
    }
}
