//! From orders to markup, and what it promises to those who look and those who attack.

mod colours;
mod drawn;
mod orders;
mod specimen;
mod worlds;

use campuscafe_evidence::diagram::Diagram;

use super::layout::MAX_STEPS;
use super::{Shape, Sheet, Words, draw};
use crate::messages::Language;

const ENGLISH: Words = Words(Language::English);
const SHAPES: [Shape; 2] = [Shape::Wide, Shape::Narrow];

fn svg(diagram: &Diagram, words: Words, shape: Shape) -> String {
    draw(diagram, words, Sheet { prefix: "one", text: "as text", shape }).into_string()
}

/// Every order in every language and shape.
fn everything() -> Vec<(String, Diagram, String)> {
    let mut all = Vec::new();
    for (name, diagram) in orders::all() {
        for shape in SHAPES {
            for (language, words) in
                [("en", Words(Language::English)), ("ja", Words(Language::Japanese))]
            {
                let drawn = svg(&diagram, words, shape);
                all.push((format!("{name}, {shape:?}, {language}"), diagram.clone(), drawn));
            }
        }
    }
    all
}

fn drawn(name: &str) -> String {
    let (_, diagram) = orders::all().into_iter().find(|(order, _)| *order == name).expect("it");
    svg(&diagram, ENGLISH, Shape::Wide)
}

#[test]
fn every_step_has_a_row_and_every_attempt_a_bar() {
    for (name, diagram, svg) in everything() {
        let rows = |element: &str| -> Vec<String> {
            let found = svg.split(element).skip(1);
            found.map(|row| drawn::attribute(row, "data-step").to_owned()).collect()
        };
        let steps: Vec<_> = (0..diagram.steps.len()).map(|step| step.to_string()).collect();
        assert_eq!(rows("<g class=\"row"), steps, "{name}");
        assert_eq!(rows("<rect class=\"band"), steps, "{name}");
        for bar in &diagram.bars {
            let attempt = format!("<g class=\"bar\" data-attempt=\"{}\">", bar.attempt);
            assert_eq!(svg.matches(&attempt).count(), 1, "{name}");
        }
    }
}

#[test]
fn the_veils_of_what_is_later_leave_no_gap_down_to_the_end_of_the_picture() {
    for (name, diagram, svg) in everything() {
        let veils: Vec<_> = svg
            .split("<rect class=\"veil\"")
            .skip(1)
            .map(|veil| {
                let top = drawn::number(veil, "y");
                (top, top + drawn::number(veil, "height"))
            })
            .collect();
        assert_eq!(veils.len(), diagram.steps.len(), "{name}");
        assert!(veils.windows(2).all(|pair| pair[0].1 == pair[1].0), "{name}: {veils:?}");
        let end = veils.last().expect("a step").1;
        assert!(end >= drawn::size(&svg).1 - 8, "{name}: {end}");
    }
}

#[test]
fn nothing_is_inline_and_nothing_is_fetched() {
    for (name, _, svg) in everything() {
        let lower = svg.to_lowercase();
        for forbidden in [" style=", "<style", "<script", "javascript:", "http", "<image", " on"] {
            let in_tags = lower.split('<').filter_map(|tag| tag.split('>').next());
            let in_tags = in_tags.map(|tag| format!("<{tag}"));
            assert!(!in_tags.collect::<String>().contains(forbidden), "{name}: {forbidden}\n{svg}");
        }
    }
}

#[test]
fn what_spans_hold_is_shown_and_not_obeyed() {
    for shape in SHAPES {
        let (_, diagram) = orders::all().pop().expect("the hostile one");
        let svg = draw(&diagram, ENGLISH, Sheet { prefix: "one", text: orders::HOSTILE, shape });
        let svg = svg.into_string();
        assert!(svg.contains("<desc id=\"one-text\">&lt;img src=x onerror=alert(1)&gt;</desc>"));
        for shown in ["&lt;img src=", "slow:&lt;svg", "\\u{202e}&lt;b"] {
            assert!(svg.contains(shown), "no {shown} in {svg}");
        }
        for obeyed in ["<img", "<script", "<b ", "<svg/", "\u{202e}"] {
            assert!(!svg.contains(obeyed), "{obeyed} in {svg}");
        }
    }
}

#[test]
fn no_text_touches_another_or_leaves_the_picture() {
    for (name, _, svg) in everything() {
        let (size, texts) = (drawn::size(&svg), drawn::texts(&svg));
        assert!(texts.len() > 8, "{name}");
        for (place, text) in texts.iter().enumerate() {
            assert!(text.within(size), "{name}: {text:?} leaves {size:?}");
            for other in &texts[place + 1..] {
                assert!(!text.overlaps(other), "{name}: {text:?} touches {other:?}");
            }
        }
    }
}

#[test]
fn a_long_name_of_an_item_leaves_room_for_what_became_of_the_stock() {
    for name in ["strawberry shortcake with whipped cream", "いちごのショートケーキ生クリームのせ"]
    {
        let mut diagram = orders::all().swap_remove(1).1;
        for step in &mut diagram.steps {
            if let Some(campuscafe_evidence::diagram::Note::Committed(commit)) = &mut step.note {
                commit.item = name.to_owned();
            }
        }
        let texts = drawn::texts(&svg(&diagram, ENGLISH, Shape::Wide));
        let commit = texts.iter().find(|text| text.words.starts_with("commit")).expect("a commit");
        assert!(
            commit.words.contains('…') && commit.words.ends_with("10\u{a0}→\u{a0}9"),
            "{commit:?}"
        );
    }
}

#[test]
fn late_and_duplicate_commits_differ_from_others_in_class_and_in_shape() {
    let shapes = |name: &str| -> Vec<(String, usize, usize)> {
        let svg = drawn(name);
        let marks = svg.split("<g class=\"mark commit").skip(1);
        marks
            .map(|mark| {
                let mark = mark.split("</g>").next().expect("an end");
                let count = |class| mark.matches(&format!("class=\"{class}\"")).count();
                let class = mark.split('"').next().expect("a class").trim().to_owned();
                (class, count("diamond"), count("ring"))
            })
            .collect()
    };
    let commit = |class: &str, diamonds, rings| (class.to_owned(), diamonds, rings);
    assert_eq!(shapes("well"), [commit("committed", 1, 0)]);
    let late = commit("late committed", 1, 1);
    let both = commit("late duplicate doubled", 2, 1);
    assert_eq!(shapes("both-slow"), [late, both.clone()]);
    assert_eq!(shapes("double"), [commit("committed", 1, 0), both]);
    assert!(drawn("double").contains("<g class=\"row commit late duplicate\""));
}

#[test]
fn work_is_hatched_from_the_step_at_which_nobody_waits() {
    let svg = drawn("double");
    let bar = svg.split("data-attempt=\"1\"").nth(1).and_then(|rest| rest.split("</g></g>").next());
    let bar = bar.expect("a bar");
    let (awaited, unheard) = bar.split_once("fill=\"url(#one-hatch)\"").expect("a hatched part");
    assert!(awaited.contains("class=\"work\"") && unheard.contains("class=\"unheard\""), "{bar}");
    assert!(!drawn("well").contains("class=\"unheard\""));
}

#[test]
fn what_does_not_arrive_breaks_off_and_a_timeout_is_not_a_lost_connection() {
    for (name, broken, clocks) in [
        ("well", 0, 0),
        ("abort", 1, 0),
        ("refused", 1, 0),
        ("slowreply", 1, 1),
        ("too-late", 1, 1),
        ("both-slow", 0, 2),
    ] {
        let svg = drawn(name);
        assert_eq!(svg.matches("<g class=\"message broken").count(), broken, "{name}");
        let given_up = svg.split("<g class=\"mark given-up").skip(1);
        let clock =
            |mark: &&str| mark.split("</g>").next().is_some_and(|mark| mark.contains("<circle"));
        assert_eq!(given_up.filter(clock).count(), clocks, "{name}");
    }
    for (name, tone) in [("refused", "failed"), ("too-late", "unknown")] {
        assert!(drawn(name).contains(&format!("<g class=\"message broken {tone}\"")), "{name}");
    }
}

#[test]
fn the_customer_is_told_in_the_colour_of_the_outcome() {
    for (name, outcome) in
        [("well", "confirmed"), ("abort", "unknown"), ("conflict", "failed"), ("refused", "failed")]
    {
        let svg = drawn(name);
        assert!(svg.contains(&format!("<g class=\"mark outcome {outcome}\"")), "{name}: {svg}");
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "how long it takes is a figure, not a promise")]
fn a_picture_of_an_order_that_somebody_made_up_is_bounded() {
    let diagram = orders::many(125);
    assert!((500..MAX_STEPS).contains(&diagram.steps.len()), "{}", diagram.steps.len());
    for shape in SHAPES {
        let before = tokio::time::Instant::now();
        let svg = svg(&diagram, ENGLISH, shape);
        println!(
            "{} steps, {shape:?}: {:?}, {} bytes",
            diagram.steps.len(),
            before.elapsed(),
            svg.len()
        );
        assert!(svg.len() < 1_000 * diagram.steps.len(), "{}", svg.len());
        let width = drawn::size(&svg).0;
        assert!(width < 1_000, "it grows downwards only");
        assert!(drawn::bars(&svg).all(|right| right < width), "a bar leaves the picture");
    }
    let diagram = orders::many(500);
    let svg = svg(&diagram, ENGLISH, Shape::Narrow);
    let more = format!("and {} more", diagram.steps.len() - MAX_STEPS);
    assert!(svg.contains(&more) && svg.len() < 1_000 * MAX_STEPS, "{more}, {}", svg.len());
}

#[test]
fn a_time_of_two_minutes_is_read_whole_where_there_is_little_room() {
    let mut diagram = orders::many(1);
    let last = diagram.steps.last_mut().expect("a step");
    last.at = diagram.start + 120_017_000_000;
    for shape in SHAPES {
        assert!(svg(&diagram, ENGLISH, shape).contains(">120,017 ms<"), "{shape:?}");
    }
}
