//! What was drawn, read back from the markup.

use super::super::text::width;

/// A text and the box that it needs at most.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) words: String,
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
}

impl Text {
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let across = self.left < other.right && other.left < self.right;
        across && self.top < other.bottom && other.top < self.bottom
    }

    pub(super) fn within(&self, (width, height): (i32, i32)) -> bool {
        self.left >= 0 && self.top >= 0 && self.right <= width && self.bottom <= height
    }
}

/// The value of an attribute in an element that starts with the text.
pub(super) fn attribute<'a>(element: &'a str, name: &str) -> &'a str {
    let found = element.split_once(&format!(" {name}=\"")).map(|(_, rest)| rest);
    found.and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("{name}: {element}"))
}

pub(super) fn number(element: &str, name: &str) -> i32 {
    attribute(element, name).parse().unwrap_or_else(|_| panic!("{name}: {element}"))
}

/// Width and height.
pub(super) fn size(svg: &str) -> (i32, i32) {
    let view_box = attribute(svg, "viewBox");
    let size = (number(svg, "width"), number(svg, "height"));
    assert_eq!(view_box, format!("0 0 {} {}", size.0, size.1));
    size
}

/// The right edge of every bar.
pub(super) fn bars(svg: &str) -> impl Iterator<Item = i32> {
    let rects = svg.split("<rect").skip(1).filter(|rect| rect.contains(" rx=\"3\""));
    rects.map(|rect| number(rect, "x") + number(rect, "width"))
}

pub(super) fn texts(svg: &str) -> Vec<Text> {
    svg.split("<text ").skip(1).map(text).collect()
}

fn text(element: &str) -> Text {
    let element = &format!(" {}", element.split("</text>").next().expect("an end"));
    let words = element.split_once('>').expect("a start").1;
    let words = words.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    let (x, y, size) = (number(element, "x"), number(element, "y"), number(element, "font-size"));
    let wide = width(&words, size);
    let left = match attribute(element, "text-anchor") {
        "start" => x,
        "middle" => x - wide / 2,
        "end" => x - wide,
        other => panic!("{other}"),
    };
    Text { words, left, right: left + wide, top: y - size, bottom: y + size / 4 }
}
