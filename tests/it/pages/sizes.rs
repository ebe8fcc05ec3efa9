//! The pages on every screen, in the dark, and on a projector.

use serde_json::json;

use super::browser::{Browser, in_browser};
use super::compare;
use super::lesson::DOUBLE;

/// How wide the page is, and whether each picture is seen. What a phone calls its width grows
/// with what it shows, so the page is measured against the screen.
const FITS: &str =
    "const pictures = [...document.querySelectorAll(':is(svg.spacetime, svg.chart):not(.legend svg)')]
        .filter((it) => it.checkVisibility()).map((it) => it.getBoundingClientRect());
    return {
        width: document.scrollingElement.scrollWidth,
        pictures: pictures.map(({left, width, height}) =>
            [left >= 0 && left + width <= WIDTH, width > 200 && height > 200]),
    };";

/// A phone that is small, one that is not, a tablet, and two that are no phones.
pub(super) const SCREENS: [(u64, u64); 5] =
    [(320, 568), (390, 844), (768, 1024), (1024, 768), (1280, 800)];

/// Looks whether the page that is open fits a screen of this size.
pub(super) async fn fits(
    browser: &Browser,
    path: &str,
    (width, height): (u64, u64),
    picture: bool,
) {
    browser.size(width, height).await;
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

/// Pages are light, or dark, from now on.
pub(super) async fn look(browser: &Browser, scheme: &str) {
    let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
    browser.set("Emulation.setEmulatedMedia", features).await;
}

/// Whether the page is as light, or as dark, as its reader wants it.
async fn is_as_light(browser: &Browser, scheme: &str, path: &str) {
    let light: [f64; 2] = serde_json::from_value(browser.script(LIGHT).await).unwrap();
    let dark = scheme == "dark";
    assert_eq!((light[0] < 64.0, light[1] > 192.0), (dark, dark), "{path} {scheme}: {light:?}");
}

#[tokio::test]
async fn no_page_scrolls_sideways_and_the_picture_is_seen_on_a_wall_on_a_phone_and_in_the_dark() {
    in_browser("pages fit every screen", async |browser, cafe| {
        browser.expect("/lessons/none/1 - Failed to load resource");
        compare::run(browser, &cafe.lab, "double").await;
        let compared = browser.path().await;
        browser.finish(&cafe.lab, DOUBLE).await;
        let run = browser.path().await;
        let mut paths = vec![compared, run.clone()];
        paths.extend(compare::paths(cafe).await);
        let others = [
            "/",
            "/catalogue",
            "/quiz",
            DOUBLE.path,
            "/lessons/free/1",
            "/lessons/policy/1",
            "/lessons/storm/1",
            "/lessons/none/1",
        ];
        paths.extend(others.map(str::to_owned));
        for scheme in ["light", "dark"] {
            look(browser, scheme).await;
            for path in &paths {
                browser.go(&format!("{}{path}", cafe.lab)).await;
                is_as_light(browser, scheme, path).await;
                for size in SCREENS {
                    fits(browser, path, size, *path == run).await;
                }
            }
        }
        browser.go(&format!("{}{run}", cafe.lab)).await;
        browser.photograph("dark", 1280).await;
        browser.photograph("dark-phone", 390).await;

        browser.set("Emulation.setEmulatedMedia", json!({"features": []})).await;
        browser.click("button[name=wall]").await;
        for size in [(1024, 768), (1280, 800)] {
            fits(browser, &run, size, true).await;
        }
        let wall = browser.text("main").await;
        assert!(!wall.contains("you said") && wall.contains("Who knows what"), "{wall}");
        browser.photograph("wall", 1024).await;
    })
    .await;
}
