//! An order that is under way, drawn from the spans that have come.

use campuscafe_evidence::diagram::{Content, Diagram, Step};
use maud::{Markup, html};

use super::Reader;
use super::knows::knows_so_far;
use crate::view::svg::{self, Now, Shape, Sheet, Words};

/// An order that is under way.
pub(crate) struct SoFar {
    pub(crate) diagram: Diagram,
    /// In nanoseconds since 1970.
    pub(crate) now: u64,
}

impl SoFar {
    /// Whether the customer has the answer.
    pub(super) fn is_answered(&self) -> bool {
        let answers = |step: &Step| match &step.message {
            Some(message) => matches!(message.content, Content::Outcome { .. }),
            None => false,
        };
        self.diagram.steps.iter().any(answers)
    }
}

/// Its picture now, in the place of the complete one. Nothing in it is announced or can be
/// pressed: the next picture takes its place.
pub(super) fn growing(reader: Reader, order: &SoFar, held: bool) -> Markup {
    let SoFar { diagram, now } = order;
    let words = Words(reader.language);
    let told = reader.say(match (held, order.is_answered()) {
        (true, _) => "so-far-held",
        (false, true) => "so-far-told",
        (false, false) => "so-far",
    });
    let now = Now { ms: diagram.ms(*now), told: &told };
    html! {
        section class="growing" aria-label=(reader.say("so-far-name")) {
            figure class="card diagram" {
                @for (name, shape) in [("wide", Shape::Wide), ("narrow", Shape::Narrow)] {
                    @let prefix = format!("{name}-so-far");
                    (svg::so_far(diagram, words, Sheet { prefix: &prefix, text: &told, shape }, now))
                }
                (svg::legend_so_far(words, "so-far"))
            }
            (knows_so_far(reader, diagram))
        }
    }
}

#[cfg(test)]
mod tests {
    use campuscafe_evidence::so_far;
    use campuscafe_evidence::testing::{MS, START, commit, double};

    use super::super::{Answers, Case, Growing, Stage, View, run};
    use super::*;
    use crate::messages::Language;

    const ENGLISH: Reader = Reader { language: Language::English, wall: false };

    /// An order without its late spans, or one whose answer is held.
    fn so_far(held: bool) -> SoFar {
        let late = ["order", "in1", "fault-in1", "commit-in1"];
        let spans = match held {
            true => vec![commit("in1", 3, 10, false, false)],
            false => double().into_iter().filter(|span| !late.contains(&&*span.id)).collect(),
        };
        let plan = "slow,none".parse().expect("a plan");
        let order = so_far::SoFar {
            sent_at: START,
            retries: !held,
            plan: &plan,
            answer: None,
            crash: None,
            spans: &spans,
        };
        SoFar { diagram: Diagram::so_far(&order), now: START + 1_234 * MS }
    }

    fn page(reader: Reader, held: bool) -> String {
        let so_far = so_far(held);
        let view = View {
            id: "1",
            case: Case::find(if held { "doubt" } else { "double" }, 1).expect("a case"),
            stage: Stage::Running { held, so_far: Some(Growing::Order(&so_far)) },
            answers: Answers::default(),
            asks: true,
            orders: None,
            lines: &[],
            keys: &[],
        };
        run(reader, &view)
    }

    fn growing_part(page: &str) -> &str {
        let (_, after) = page.split_once("<section class=\"growing\"").expect("a picture");
        after.split_once("</section>").expect("its end").0
    }

    #[test]
    fn a_picture_that_grows_shows_what_has_come_and_leaves_open_what_has_not_ended() {
        let page = page(ENGLISH, false);
        let picture = growing_part(&page);
        for expected in [
            "<g class=\"bar\" data-attempt=\"1\"><path class=\"open\"",
            "gives up attempt 1",
            "1,234 ms",
            "attempt 1: no answer (timeout), so it cannot know",
            "attempt 2: answered 200, so it is reserved",
            "still waiting: no answer yet",
            "not ended yet, as far as the spans tell",
        ] {
            assert!(picture.contains(expected), "no {expected} in {picture}");
        }
        for absent in [
            "reservations:",
            "aria-live",
            "<button",
            "<a ",
            "the 2nd of this order",
            "nobody waited",
        ] {
            assert!(!picture.contains(absent), "{absent} in {picture}");
        }
        assert!(page.contains("<p role=\"status\">The order is sent."), "{page}");
    }

    #[test]
    fn a_held_answer_is_seen_in_the_picture_and_said_to_be_unknown_to_whoever_waits() {
        let page = page(ENGLISH, true);
        let picture = growing_part(&page);
        let held = "The reservation is committed, and the reply is held.";
        assert_eq!(picture.matches(held).count(), 3, "in both shapes and as text: {picture}");
        for expected in ["commit: cake", "attempt 1: committed", "still waiting"] {
            assert!(picture.contains(expected), "no {expected} in {picture}");
        }
        assert!(page.contains("value=\"release\"") && !page.contains('…'), "{page}");
    }
}
