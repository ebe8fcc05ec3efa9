//! A storm as charts, one below the other on one axis of time: the goodput of both lanes
//! second by second, and the queues of their inventories.
//!
//! Nothing is told by a colour alone: each lane's goodput has a chart of its own, and the lines
//! of the queues differ in their strokes.

use maud::{Markup, html};

use super::text::{Anchor, Label, number, width};
use super::{Shape, Sheet};
use crate::lessons::{Storm, StormLane, StormPlan};
use crate::messages::Language;

/// Seconds from one mark of the axis to the next.
const TICK: u32 = 10;

/// What stands where.
struct Frame {
    shape: Shape,
    /// Where the first second begins; the numbers of the charts stand left of it.
    left: i32,
    /// How wide a second is.
    second: i32,
    /// Room between two bars.
    gap: i32,
    /// Right of the last second.
    right: i32,
    /// The height of the type.
    size: i32,
    /// The height of a chart.
    chart: i32,
    /// Seconds of the whole axis.
    seconds: u32,
}

impl Frame {
    const fn of(shape: Shape, plan: &StormPlan) -> Self {
        let seconds = plan.ends;
        match shape {
            Shape::Wide => Self {
                shape,
                left: 44,
                second: 14,
                gap: 3,
                right: 24,
                size: 13,
                chart: 88,
                seconds,
            },
            Shape::Narrow => {
                Self { shape, left: 36, second: 4, gap: 1, right: 20, size: 12, chart: 80, seconds }
            }
        }
    }

    /// Where this second begins.
    fn x(&self, second: u32) -> i32 {
        self.left + self.second * number(second as usize)
    }

    fn end(&self) -> i32 {
        self.x(self.seconds)
    }

    fn width(&self) -> i32 {
        self.end() + self.right
    }

    fn ticks(&self) -> impl Iterator<Item = u32> + use<> {
        (0..=self.seconds).step_by(TICK as usize)
    }
}

/// One chart: from its upper edge down to its axis.
struct Chart {
    top: i32,
    height: i32,
    /// What its upper edge stands for; never 0.
    most: u32,
}

impl Chart {
    fn bottom(&self) -> i32 {
        self.top + self.height
    }

    /// How high a value stands above the axis.
    fn rise(&self, value: u32) -> i32 {
        let rise = u64::from(value.min(self.most)) * u64::try_from(self.height).unwrap_or(0);
        i32::try_from(rise / u64::from(self.most.max(1))).unwrap_or(self.height)
    }

    fn y(&self, value: u32) -> i32 {
        self.bottom() - self.rise(value)
    }
}

/// Draws both lanes as far as they have come.
pub(crate) fn storm(storm: &Storm, language: Language, sheet: Sheet<'_>) -> Markup {
    let Storm { plan, naive, cured } = storm;
    let frame = Frame::of(sheet.shape, plan);
    let lanes = [("storm-naive", naive), ("storm-cured", cured)];
    let told = lanes.iter().flat_map(|(_, lane)| &lane.goodput).copied();
    let most_told = scale(told.chain([plan.rate]).max().unwrap_or(0));
    let waited = lanes.iter().map(|(_, lane)| lane.longest_queue());
    let most_waited = scale(waited.chain([plan.capacity]).max().unwrap_or(0));
    // The name of the storm, and below it for each chart its name, itself and a space.
    let (head, name, space) = (frame.size + 12, frame.size + 12, 20);
    let chart = |place: i32, most: u32| {
        let top = head + name + place * (name + frame.chart + space);
        Chart { top, height: frame.chart, most }
    };
    let charts = [chart(0, most_told), chart(1, most_told), chart(2, most_waited)];
    let [_, _, queues] = &charts;
    let bottom = queues.bottom();
    let (width, height) = (frame.width(), bottom + frame.size + 14);
    let id = |name: &str| format!("{}-{name}", sheet.prefix);
    html! {
        svg class={ "chart " (frame.class()) } role="img" viewBox={ "0 0 " (width) " " (height) }
            width=(width) height=(height)
            aria-labelledby=(id("title")) aria-describedby=(id("text")) {
            title id=(id("title")) { (language.say("storm-picture")) }
            desc id=(id("text")) { (sheet.text) }
            (band(plan, &frame, head, bottom, language))
            @for chart in &charts { (ground(&frame, chart)) }
            @for ((lane_name, lane), chart) in lanes.iter().zip(&charts) {
                (heading(&frame, chart, &language.say(lane_name)))
                (numbers(&frame, chart, &[plan.rate, chart.most]))
                (bars(&frame, chart, &lane.goodput))
                (come(plan, &frame, chart))
            }
            (heading(&frame, queues, &language.say("storm-queues")))
            (numbers(&frame, queues, &[queues.most / 2, queues.most]))
            @for (class, lane) in [("queue naive", naive), ("queue cured", cured)] {
                path class=(class) d=(line(&frame, queues, lane)) {}
            }
            (axis(&frame, bottom, language))
            @if storm.seconds() < plan.ends {
                path class="now" d={ "M" (frame.x(storm.seconds())) " " (head) "V" (bottom) } {}
            }
        }
    }
}

impl Frame {
    const fn class(&self) -> &'static str {
        match self.shape {
            Shape::Wide => "wide",
            Shape::Narrow => "narrow",
        }
    }
}

/// The lowest round number that is not below this one.
fn scale(most: u32) -> u32 {
    let mut ten = 1_u32;
    loop {
        let round = [1, 2, 3, 4, 5, 6, 8].map(|digit| ten.saturating_mul(digit));
        if let Some(found) = round.into_iter().find(|round| *round >= most) {
            return found;
        }
        ten = ten.saturating_mul(10);
    }
}

/// The seconds of the storm, across all charts.
fn band(plan: &StormPlan, frame: &Frame, top: i32, bottom: i32, language: Language) -> Markup {
    let [from, to] = [plan.storm_begins, plan.storm_ends].map(|second| frame.x(second));
    let customers = [("rate", (plan.rate + plan.extra).into())];
    let words = language.tell("storm-band", &customers);
    let label = Label {
        class: "head",
        x: from,
        y: frame.size + 2,
        size: frame.size,
        bold: true,
        room: frame.width() - from,
        anchor: Anchor::Start,
    };
    html! {
        rect class="storm" x=(from) y=(top - 4) width=(to - from) height=(bottom - top + 4) {}
        path class="storm-edge" d={ "M" (from) " " (top - 4) "V" (bottom) "M" (to) " " (top - 4) "V" (bottom) } {}
        (label.write(&words))
    }
}

/// The lines behind the values.
fn ground(frame: &Frame, chart: &Chart) -> Markup {
    html! {
        @for second in frame.ticks() {
            path class="grid" d={ "M" (frame.x(second)) " " (chart.top) "V" (chart.bottom()) } {}
        }
        path class="axis" d={ "M" (frame.left) " " (chart.bottom()) "H" (frame.end()) } {}
    }
}

fn heading(frame: &Frame, chart: &Chart, words: &str) -> Markup {
    let (x, size) = (frame.left, frame.size);
    let room = frame.width() - x;
    let y = chart.top - 8;
    Label { class: "head", x, y, size, bold: true, room, anchor: Anchor::Start }.write(words)
}

/// The numbers left of a chart, from 0 up; one too close to the one below it is left out.
fn numbers(frame: &Frame, chart: &Chart, values: &[u32]) -> Markup {
    let mut shown = vec![0];
    for value in values {
        let is_apart = |below: &u32| chart.y(*below) - chart.y(*value) >= frame.size + 2;
        if shown.last().is_some_and(is_apart) {
            shown.push(*value);
        }
    }
    html! { @for value in shown {
        (Label {
            class: "value",
            x: frame.left - 6,
            y: chart.y(value) + frame.size / 3,
            size: frame.size,
            bold: false,
            room: frame.left,
            anchor: Anchor::End,
        }.write(&value.to_string()))
    } }
}

fn bars(frame: &Frame, chart: &Chart, told: &[u32]) -> Markup {
    html! { g class="bars" {
        @for (second, value) in (0..).zip(told).filter(|(_, value)| **value > 0) {
            rect x=(frame.x(second)) y=(chart.y(*value)) width=(frame.second - frame.gap)
                height=(chart.rise(*value)) {}
        }
    } }
}

/// How many customers come; during the storm it is more than the chart is high.
fn come(plan: &StormPlan, frame: &Frame, chart: &Chart) -> Markup {
    let y = chart.y(plan.rate);
    let [begins, ends] = [plan.storm_begins, plan.storm_ends].map(|second| frame.x(second));
    html! {
        path class="come" d={
            "M" (frame.left) " " (y) "H" (begins) "M" (ends) " " (y) "H" (frame.end())
        } {}
    }
}

/// The queue of a lane at the end of each second; interrupted where the inventory did not tell.
fn line(frame: &Frame, chart: &Chart, lane: &StormLane) -> String {
    let (mut path, mut goes_on) = (String::new(), false);
    for (second, length) in (1..).zip(&lane.queue) {
        if let Some(length) = length {
            let step = if goes_on { 'L' } else { 'M' };
            path.push_str(&format!("{step}{} {}", frame.x(second), chart.y(*length)));
        }
        goes_on = length.is_some();
    }
    path
}

/// The seconds below the last chart.
fn axis(frame: &Frame, bottom: i32, language: Language) -> Markup {
    let y = bottom + frame.size + 5;
    let unit = language.tell("storm-after", &[("seconds", frame.seconds.into())]);
    html! { @for second in frame.ticks() {
        @let words = if second == frame.seconds { unit.to_string() } else { second.to_string() };
        // The last one has a unit, and must end within the picture.
        @let room = width(&words, frame.size).max(40);
        (Label {
            class: "value",
            x: frame.x(second),
            y,
            size: frame.size,
            bold: false,
            room,
            anchor: Anchor::Middle,
        }.write(&words))
    } }
}

/// What the signs of the charts mean, as a list.
pub(crate) fn storm_legend(language: Language) -> Markup {
    let signs = ["storm-sign-told", "storm-sign-come", "storm-sign-naive", "storm-sign-cured"];
    html! {
        ul class="legend" { @for id in signs { li {
            svg class="chart" viewBox="0 0 32 32" width="24" height="24" aria-hidden="true" {
                @match id {
                    "storm-sign-told" => g class="bars" {
                        rect x="6" y="14" width="8" height="14" {}
                        rect x="18" y="6" width="8" height="22" {}
                    },
                    "storm-sign-come" => path class="come" d="M0 16H32" {},
                    "storm-sign-naive" => path class="queue naive" d="M0 16H32" {},
                    _ => path class="queue cured" d="M0 16H32" {},
                }
            }
            (language.say(id))
        } } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lessons::storm_testing::{PLAN, storm as specimen};

    fn drawn(storm: &Storm, shape: Shape) -> String {
        let sheet = Sheet { prefix: "p", text: "as text", shape };
        super::storm(storm, Language::English, sheet).into_string()
    }

    /// The numbers of an attribute of every element that has this beginning.
    fn numbers_of(picture: &str, element: &str, name: &str) -> Vec<i32> {
        let elements = picture.split(element).skip(1);
        let value = |rest: &str| {
            let (_, after) = rest.split_once(&format!(" {name}=\"")).expect("the attribute");
            after.split('"').next().and_then(|value| value.parse().ok()).expect("a number")
        };
        elements.map(value).collect()
    }

    /// The bars of a lane: where each stands and how high it is.
    fn bars_of(picture: &str, lane: usize) -> Vec<(i32, i32)> {
        let group = picture.split("<g class=\"bars\">").nth(lane + 1).expect("the bars");
        let group = group.split("</g>").next().expect("their end");
        let [x, height] = ["x", "height"].map(|name| numbers_of(group, "<rect", name));
        x.into_iter().zip(height).collect()
    }

    #[test]
    fn both_lanes_stand_on_one_axis_and_a_second_has_one_place_in_all_charts() {
        for (shape, left, second) in [(Shape::Wide, 44, 14), (Shape::Narrow, 36, 4)] {
            let picture = drawn(&specimen(), shape);
            let (naive, cured) = (bars_of(&picture, 0), bars_of(&picture, 1));
            // Naive serves nobody after the storm; cured does again.
            assert_eq!(naive.last().map(|bar| bar.0), Some(left + second * 13));
            assert_eq!(cured.last().map(|bar| bar.0), Some(left + second * 59));
            assert_eq!(naive[..12], cured[..12], "before the storm they are the same");
            let storm = numbers_of(&picture, "<rect class=\"storm\"", "x");
            assert_eq!(storm, [left + second * 12], "one band across all charts");
            let wide = numbers_of(&picture, "<rect class=\"storm\"", "width");
            assert_eq!(wide, [3 * second], "as wide as its seconds");
        }
    }

    #[test]
    fn a_bar_is_as_high_as_its_value_and_both_lanes_have_one_scale() {
        let mut storm = specimen();
        storm.cured.goodput[20] = 8;
        storm.naive.goodput[21] = 4;
        let picture = drawn(&storm, Shape::Wide);
        let at = |lane, second| {
            let x = 44 + 14 * second;
            bars_of(&picture, lane).into_iter().find(|bar| bar.0 == x).map(|bar| bar.1)
        };
        assert_eq!((at(1, 20), at(0, 21)), (Some(88), Some(44)));
        assert_eq!(at(0, 20), None, "nobody was served");
    }

    #[test]
    fn what_goes_on_ends_at_the_present_second_and_what_is_over_has_none() {
        let whole = specimen();
        let mut part = whole.clone();
        for lane in [&mut part.naive, &mut part.cured] {
            lane.goodput.truncate(20);
            lane.queue.truncate(20);
        }
        let picture = drawn(&part, Shape::Wide);
        assert!(picture.contains(&format!("class=\"now\" d=\"M{} ", 44 + 14 * 20)), "{picture}");
        assert!(bars_of(&picture, 1).iter().all(|bar| bar.0 < 44 + 14 * 20));
        assert!(!drawn(&whole, Shape::Wide).contains("class=\"now\""));
        let none = drawn(&Storm::begun(PLAN), Shape::Narrow);
        assert!(none.contains("class=\"storm\"") && !none.contains("<g class=\"bars\"><rect"));
    }

    #[test]
    fn a_queue_that_was_not_told_interrupts_its_line() {
        let frame = Frame::of(Shape::Wide, &PLAN);
        let chart = Chart { top: 0, height: 100, most: 10 };
        let queue = vec![Some(0), Some(10), None, Some(5)];
        let lane = StormLane { queue, ..StormLane::default() };
        assert_eq!(line(&frame, &chart, &lane), "M58 100L72 0M100 50");
    }

    #[test]
    fn a_scale_ends_at_a_round_number_and_nothing_stands_above_it() {
        for (most, expected) in [(0, 1), (1, 1), (7, 8), (9, 10), (21, 30), (81, 100), (812, 1_000)]
        {
            assert_eq!(scale(most), expected, "{most}");
        }
        assert!(scale(u32::MAX) == u32::MAX, "it ends");
        let chart = Chart { top: 5, height: 80, most: 8 };
        assert_eq!((chart.rise(0), chart.rise(4), chart.rise(8), chart.rise(99)), (0, 40, 80, 80));
    }

    #[test]
    fn it_has_a_name_and_a_text_and_nothing_of_style_in_it() {
        let picture = drawn(&specimen(), Shape::Narrow);
        for part in [
            "role=\"img\"",
            "aria-labelledby=\"p-title\"",
            "aria-describedby=\"p-text\"",
            "<desc id=\"p-text\">as text</desc>",
        ] {
            assert!(picture.contains(part), "no {part} in {picture}");
        }
        assert!(!picture.contains("style") && !picture.contains("fill="), "{picture}");
    }
}
