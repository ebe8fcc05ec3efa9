//! The pages for people who hear them or need strong contrasts, as axe-core judges.

use campuscafe_tests::{on_path, root, skipped};
use serde_json::{Value, json};
use tokio::process::Command;

use super::browser::{Browser, in_browser};
use super::compare;
use super::lesson::{Answers, CASES};

const PACKAGE: &str = "axe-core@4.14.1";
const ANSWERS: Answers = Answers { knows: "nothing", reservations: "1", commit: "before" };

/// The program that judges; fetched once, for the tests only.
pub(super) async fn axe() -> Option<String> {
    let folder = root().join("target/axe");
    let script = folder.join("node_modules/axe-core/axe.min.js");
    if !script.exists()
        && let Some(npm) = on_path(&["npm"])
    {
        std::fs::create_dir_all(&folder).unwrap();
        let mut npm = Command::new(npm);
        npm.args(["install", "--no-save", "--ignore-scripts", "--no-audit", "--prefix"]);
        let _ = npm.arg(&folder).arg(PACKAGE).output().await;
    }
    let found = std::fs::read_to_string(&script).ok();
    if found.is_none() {
        skipped(&format!("no {PACKAGE} to judge the pages, and npm did not bring it"));
    }
    found
}

pub(super) async fn judge(browser: &Browser, axe: &str, what: &str) {
    browser.script(axe).await;
    let violations = browser
        .script_async(
            "const done = arguments[0];
            axe.run({resultTypes: ['violations']}).then(({violations, passes}) => done(
                [passes.length, violations.map(({id, help, nodes}) =>
                    ({id, help, nodes: nodes.map((node) => node.html + node.failureSummary)}))]));",
        )
        .await;
    assert!(violations[0].as_u64().is_some_and(|passes| passes > 5), "{what}: {violations}");
    assert_eq!(violations[1], Value::Array(Vec::new()), "{what}: {violations:#}");
}

#[tokio::test]
async fn axe_finds_no_fault_on_any_kind_of_page_in_either_language() {
    let Some(axe) = axe().await else { return };
    in_browser("axe finds nothing", async |browser, cafe| {
        browser.expect("404 (Not Found)");
        let mut paths = Vec::new();
        // With its verdict, with its question, as a table, and while its answer is held.
        browser.finish(&cafe.lab, CASES[4]).await;
        paths.push(browser.path().await);
        browser.run(&cafe.lab, CASES[4].path, ANSWERS).await;
        browser.shows("input[name=commit]").await;
        paths.push(browser.path().await);
        browser.go(&format!("{}/lessons/reorder/1", cafe.lab)).await;
        browser.choose("choice", "other").await;
        browser.click("button.run").await;
        browser.shows(".table").await;
        paths.push(browser.path().await);
        browser.answer(&cafe.lab, "cut", "unknown").await;
        browser.shows(".proof").await;
        paths.push(browser.path().await);
        browser.run(&cafe.lab, "/lessons/doubt/1", ANSWERS).await;
        browser.shows(".doubt").await;
        paths.insert(0, browser.path().await);
        compare::run(browser, &cafe.lab, "double").await;
        paths.push(browser.path().await);
        paths.extend(compare::paths(cafe).await);
        let kinds = [
            "/",
            "/catalogue",
            "/quiz",
            "/lessons/double/2",
            "/lessons/reorder/1",
            "/lessons/free/1",
            "/lessons/storm/1",
            "/runs/none",
        ];
        paths.extend(kinds.map(str::to_owned));
        for language in ["en", "ja"] {
            for path in &paths {
                browser.go(&format!("{}{path}", cafe.lab)).await;
                judge(browser, &axe, &format!("{path} in {language}")).await;
            }
            browser.click("button[name=language]").await;
        }
        let run = format!("{}{}", cafe.lab, paths[1]);
        let dark = json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
        browser.set("Emulation.setEmulatedMedia", dark).await;
        browser.go(&run).await;
        judge(browser, &axe, "a run in the dark").await;
        browser.click("button[name=wall]").await;
        judge(browser, &axe, "a run on the wall").await;
        browser.size(390, 844).await;
        browser.click("button[name=wall]").await;
        judge(browser, &axe, "a run on a phone").await;
    })
    .await;
}
