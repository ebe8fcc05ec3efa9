//! The colours of the style sheet, in both schemes.

use std::collections::BTreeMap;

const STYLE: &str = include_str!("../../../../assets/page.css");
const DARK: &str = "@media screen and (prefers-color-scheme: dark)";

type Colours = BTreeMap<&'static str, [f64; 3]>;

fn colours(style: &'static str) -> Colours {
    let declarations = style.split(['{', ';']).filter_map(|one| one.trim().split_once(": #"));
    declarations
        .filter_map(|(name, hex)| {
            Some((name.strip_prefix("--")?, u32::from_str_radix(hex, 16).ok()?))
        })
        .map(|(name, rgb)| (name, [16, 8, 0].map(|shift| f64::from(rgb >> shift & 255) / 255.0)))
        .collect()
}

/// As <https://www.w3.org/TR/WCAG22/#dfn-relative-luminance> says.
fn luminance(colour: [f64; 3]) -> f64 {
    let linear = |part: f64| {
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    let [red, green, blue] = colour.map(linear);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn every_text_can_be_read_on_every_ground_in_both_schemes() {
    let (before, rest) = STYLE.split_once(DARK).expect("a dark scheme");
    let dark = rest.split_once("\n}\n").expect("its end").0;
    for (scheme, style) in [("light", before), ("dark", dark)] {
        let colours = colours(style);
        let colour =
            |name: &str| *colours.get(name).unwrap_or_else(|| panic!("{scheme}: no {name}"));
        let tones = ["confirmed", "failed", "unknown", "committed", "doubled"];
        let plain = ["ink", "soft"];
        let grounds = ["paper", "card", "now", "unknown-ground", "doubled-ground"];
        let all = [&tones[..], &plain].concat();
        let on_grounds = all.iter().flat_map(|text| grounds.map(|ground| (*text, ground, 4.5)));
        let on_sunk = plain.map(|text| (text, "sunk", 4.5));
        // The edge of what can be pressed, and what a bar stands on.
        // A chart has bars on the seconds of a storm.
        let bars = [("work", "card", 3.0), ("confirmed", "sunk", 3.0)];
        let shapes = [("edge", "card", 3.0), ("paper", "ink", 4.5)].into_iter().chain(bars);
        for (text, ground, least) in on_grounds.chain(on_sunk).chain(shapes) {
            let found = contrast(colour(text), colour(ground));
            assert!(found >= least, "{scheme}: {text} on {ground} has {found:.2}");
        }
    }
}

#[test]
fn the_style_sheet_fetches_nothing() {
    for forbidden in ["url(", "@import", "@font-face", "http"] {
        assert!(!STYLE.contains(forbidden), "{forbidden}");
    }
}
