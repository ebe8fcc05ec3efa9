//! The pictures on top of the READMEs: `make pictures`.

use campuscafe_tests::{Cafe, root};
use serde_json::json;

use super::browser::Browser;
use super::lesson::DOUBLE;

/// Leaves what tells the story, and says how high that is.
const CROP: &str = "document.querySelectorAll(`.top, .cases, .verdict > :not(.lead),
        .lesson .lead, .steps, dd.detail, .gloss, main > h2, main > details, .links, .onward`)
        .forEach((part) => part.remove());
    return Math.ceil(document.querySelector('.ledger').getBoundingClientRect().bottom) + 24;";

/// Wide enough for the whole picture of a run.
const WIDTH: u64 = 1160;

#[tokio::test]
#[ignore = "it writes pictures into docs/"]
async fn the_lesson_of_the_two_cakes_is_photographed_in_both_languages_by_day_and_by_night() {
    for language in ["en", "ja"] {
        let Some(browser) = Browser::open("there are pictures", language).await else { return };
        let cafe = Cafe::open().await;
        browser.finish(&cafe.lab, DOUBLE).await;
        browser.set("Emulation.setScrollbarsHidden", json!({"hidden": true})).await;
        browser.size(WIDTH, WIDTH).await;
        let height = browser.script(CROP).await;
        let sharp =
            json!({"width": WIDTH, "height": height, "deviceScaleFactor": 2, "mobile": false});
        browser.set("Emulation.setDeviceMetricsOverride", sharp).await;
        browser.script("scrollTo(0, 0)").await;
        for scheme in ["light", "dark"] {
            let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
            browser.set("Emulation.setEmulatedMedia", media).await;
            // A third of the bytes of a PNG, with no difference to be seen.
            let webp = json!({"format": "webp", "quality": 85});
            let picture = browser.set("Page.captureScreenshot", webp).await;
            let picture = decoded(picture["data"].as_str().expect("a picture"));
            let folder = root().join("docs/pictures");
            std::fs::create_dir_all(&folder).unwrap();
            let file = folder.join(format!("double.{language}.{scheme}.webp"));
            std::fs::write(file, picture).unwrap();
        }
        browser.close().await;
    }
}

/// The bytes that a text in base64 stands for.
fn decoded(text: &str) -> Vec<u8> {
    let mut bits = 0_u32;
    let mut bytes = Vec::new();
    for (place, letter) in text.bytes().filter(|letter| *letter != b'=').enumerate() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        bits = (bits << 6) | u32::from(value);
        // Four letters are three bytes.
        let left = 6 - 2 * (place % 4);
        if left < 6 {
            bytes.push(u8::try_from((bits >> left) & 0xff).expect("one byte"));
        }
    }
    bytes
}
