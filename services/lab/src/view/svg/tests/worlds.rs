//! Several worlds in one picture.

use campuscafe_evidence::diagram::Diagram;

use super::super::{Shape, Sheet, worlds};
use super::{ENGLISH, SHAPES, drawn, orders};

fn picture(names: &[&str], shape: Shape) -> Option<String> {
    let all = orders::all();
    let find = |name: &str| all.iter().find(|(order, _)| *order == name).map(|(_, it)| it);
    let named = names.iter().zip('A'..);
    let those: Vec<(String, &Diagram)> = named
        .map(|(name, letter)| (format!("{letter} {name}"), find(name).expect("an order")))
        .collect();
    let sheet = Sheet { prefix: "worlds", text: "as text", shape };
    worlds(&those, ENGLISH, sheet).map(maud::Markup::into_string)
}

/// Where the marks of this class stand, from left to right across the picture.
fn diamonds(svg: &str) -> Vec<i32> {
    let paths = svg.split("<path class=\"diamond\" d=\"M").skip(1);
    paths.filter_map(|path| path.split(' ').next()?.parse().ok()).collect()
}

#[test]
fn what_is_the_same_is_drawn_once_and_each_world_has_an_inventory_of_its_own() {
    for shape in SHAPES {
        let svg = picture(&["abort", "lostreply"], shape).expect("the same to the order service");
        for once in [">order<", ">connection lost<", ">504 unknown<"] {
            assert_eq!(svg.matches(once).count(), 1, "{once} in {svg}");
        }
        assert_eq!(
            svg.matches("<path class=\"tip\"").count(),
            4,
            "the attempt reaches both: {svg}"
        );
        let bars = svg.matches("<rect class=\"work\"").count();
        assert_eq!((bars, svg.matches("<rect class=\"wait\"").count()), (2, 2), "{svg}");
        // Only the second has committed, and that stands in its own column.
        let lives: Vec<i32> = svg
            .split("<path class=\"life\" d=\"M")
            .skip(1)
            .filter_map(|life| life.split(' ').next()?.parse().ok())
            .collect();
        assert_eq!(diamonds(&svg), [*lives.last().expect("a lane")], "{svg}");
        for words in ["A abort", "B lostreply"] {
            let (letter, _) = words.split_once(' ').expect("two words");
            assert!(svg.contains(&format!(">{letter}: cuts the")), "{svg}");
            let heading = if shape == Shape::Wide { words } else { letter };
            assert!(svg.contains(&format!(">{heading}</text>")), "no {heading} in {svg}");
        }
        assert!(!svg.contains(" ms<"), "times are no part of the comparison: {svg}");
        assert!(svg.contains("<desc id=\"worlds-text\">as text</desc>"), "{svg}");
        let width = drawn::size(&svg).0;
        assert!(drawn::bars(&svg).all(|right| right < width), "a bar leaves the picture");
    }
}

#[test]
fn three_worlds_have_three_columns() {
    let svg = picture(&["too-late", "slowfail", "slowreply"], Shape::Wide);
    let svg = svg.expect("the same to the order service");
    assert_eq!(svg.matches("class=\"lane world\"").count(), 3, "{svg}");
    assert_eq!(svg.matches("gives up attempt 1").count(), 1, "{svg}");
}

#[test]
fn worlds_that_the_order_service_can_tell_apart_are_not_laid_over_each_other() {
    assert!(picture(&["abort", "well"], Shape::Wide).is_none());
    assert!(picture(&["abort", "slowfail"], Shape::Wide).is_none());
    assert!(picture(&["double", "double"], Shape::Wide).is_none(), "two attempts in one column");
    assert!(picture(&[], Shape::Wide).is_none());
}
