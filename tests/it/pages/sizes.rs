//! The pages on every screen, in the dark, and on a projector.

use serde_json::json;

use super::browser::{Browser, in_browser};
use super::lesson::DOUBLE;

/// How wide the page is, and whether each picture is seen. What a phone calls its width grows
/// with what it shows, so the page is measured against the screen.
const FITS: &str =
    "const pictures = [...document.querySelectorAll('svg.spacetime:not(.legend svg)')]
        .filter((it) => it.checkVisibility()).map((it) => it.getBoundingClientRect());
    return {
        width: document.scrollingElement.scrollWidth,
        pictures: pictures.map(({left, width, height}) =>
            [left >= 0 && left + width <= WIDTH, width > 200 && height > 200]),
    };";

async fn fits(browser: &Browser, path: &str, (width, height): (u64, u64), picture: bool) {
    browser.size(width, height).await;
    browser.go(path).await;
    let fits = browser.script(&FITS.replace("WIDTH", &width.to_string())).await;
    let what = format!("{path} at {width}x{height}");
    assert!(fits["width"].as_u64().expect("pixels") <= width, "{what} scrolls sideways: {fits}");
    // A lesson shows its lanes before the run.
    let pictures = fits["pictures"].as_array().expect("a list");
    assert!(pictures.iter().all(|fits| fits[0] == true), "{what}: {fits}");
    assert!(!picture || *pictures == [json!([true, true])], "{what}: {fits}");
}

/// How light the ground and the ink of the page are, from 0 to 255.
const LIGHT: &str = "const style = getComputedStyle(document.body);
    return [style.backgroundColor, style.color].map((colour) =>
        Math.max(...colour.match(/[0-9.]+/g).slice(0, 3).map(Number)));";

#[tokio::test]
async fn no_page_scrolls_sideways_and_the_picture_is_seen_on_a_wall_on_a_phone_and_in_the_dark() {
    in_browser("pages fit every screen", async |browser, cafe| {
        browser.expect("/lessons/none/1 - Failed to load resource");
        browser.finish(&cafe.lab, DOUBLE).await;
        let run = browser.path().await;
        let paths =
            ["/", DOUBLE.path, "/lessons/free/1", "/lessons/policy/1", "/lessons/none/1", &run];
        for scheme in ["light", "dark"] {
            let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
            browser.set("Emulation.setEmulatedMedia", scheme.clone()).await;
            for size in [(390, 844), (1024, 768), (1280, 800)] {
                for path in paths {
                    fits(browser, &format!("{}{path}", cafe.lab), size, path == run).await;
                }
            }
            let light: [f64; 2] = serde_json::from_value(browser.script(LIGHT).await).unwrap();
            let dark = scheme["features"][0]["value"] == "dark";
            assert_eq!((light[0] < 64.0, light[1] > 192.0), (dark, dark), "{scheme}: {light:?}");
        }
        browser.photograph("dark", 1280).await;
        browser.photograph("dark-phone", 390).await;

        browser.set("Emulation.setEmulatedMedia", json!({"features": []})).await;
        browser.click("button[name=wall]").await;
        for size in [(1024, 768), (1280, 800)] {
            fits(browser, &format!("{}{run}", cafe.lab), size, true).await;
        }
        let wall = browser.text("main").await;
        assert!(!wall.contains("you said") && wall.contains("Who knows what"), "{wall}");
        browser.photograph("wall", 1024).await;
    })
    .await;
}
