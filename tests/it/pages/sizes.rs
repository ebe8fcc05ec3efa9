//! The pages on every screen, in the dark, and on a projector.

use serde_json::json;

use super::browser::{Browser, in_browser};
use super::lesson::DOUBLE;

/// How much wider the page is than the screen, and the pictures that are on the screen.
const FITS: &str =
    "const pictures = [...document.querySelectorAll('svg.spacetime:not(.legend svg)')]
        .filter((it) => it.checkVisibility()).map((it) => it.getBoundingClientRect());
    return {
        over: document.scrollingElement.scrollWidth - innerWidth,
        pictures: pictures.map(({left, width, height}) =>
            [left >= 0 && left + width <= innerWidth, width > 200 && height > 200]),
    };";

async fn fits(browser: &Browser, what: &str, picture: bool) {
    let fits = browser.script(FITS).await;
    assert!(fits["over"].as_i64().expect("pixels") <= 0, "{what} scrolls sideways: {fits}");
    let pictures = if picture { json!([[true, true]]) } else { json!([]) };
    assert_eq!(fits["pictures"], pictures, "{what}");
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
            for (width, height) in [(390, 844), (1024, 768), (1280, 800)] {
                browser.size(width, height).await;
                for path in paths {
                    browser.go(&format!("{}{path}", cafe.lab)).await;
                    fits(browser, &format!("{path} at {width}x{height}"), path == run).await;
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
        for (width, height) in [(1024, 768), (1280, 800)] {
            browser.size(width, height).await;
            browser.reload().await;
            fits(browser, &format!("the wall at {width}x{height}"), true).await;
        }
        let wall = browser.text("main").await;
        assert!(!wall.contains("you said") && wall.contains("Who knows what"), "{wall}");
        browser.photograph("wall", 1024).await;
    })
    .await;
}
