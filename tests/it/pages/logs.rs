//! Log lines beside the picture and the spans: what belongs together is lit in all three.

use serde_json::json;

use super::browser::{Browser, in_browser};
use super::lesson::DOUBLE;
use crate::logs::{given_up, late_commit, trace_of};

/// What is lit: the names of spans, the messages of log lines, and the attempts of bars.
async fn lit(browser: &Browser) -> serde_json::Value {
    let lit = "const told = (selector, tell) => [...document.querySelectorAll(selector)].map(tell);
        return {
            spans: told('.waterfall .lit a', (link) => link.innerText),
            lines: told('.logs .lit > span', (line) => line.firstChild.textContent.trim())
                .filter((line) => line.startsWith('A test:')),
            bars: told('.wide .bar.lit', (bar) => bar.dataset.attempt),
        }";
    browser.script(lit).await
}

/// Moves the focus, and nothing below the pointer.
async fn focus(browser: &Browser, selector: &str) {
    let focus = format!("document.querySelector({selector:?}).focus({{ preventScroll: true }})");
    browser.script(&focus).await;
}

#[tokio::test]
async fn a_span_its_log_line_and_the_bar_of_its_attempt_are_lit_together() {
    in_browser("log lines are linked", async |browser, cafe| {
        browser.finish(&cafe.lab, DOUBLE).await;
        let path = browser.path().await;
        let (trace, spans) = trace_of(cafe, path.trim_start_matches("/runs/")).await;
        let (commit, attempt) = (late_commit(&spans), given_up(&spans));
        let (of_commit, of_attempt) = ("A test: committed", "A test: gave up");
        cafe.write_logs(&trace, &[(commit, of_commit), (attempt, of_attempt)]).await;

        // They came after the run was judged.
        browser.reload().await;
        browser.click(".evidence > summary").await;
        // The first step belongs to the order as a whole.
        browser
            .script(
                "const range = document.querySelector('.steps input'); range.value = 0;
            range.dispatchEvent(new Event('input'))",
            )
            .await;
        let nothing = lit(browser).await;
        assert_eq!((&nothing["lines"], &nothing["bars"]), (&json!([]), &json!([])), "{nothing}");

        browser.hover(".wide .bar[data-attempt='1'] .unheard").await;
        let bar = lit(browser).await;
        assert_eq!((&bar["lines"], &bar["bars"]), (&json!([of_attempt, of_commit]), &json!(["1"])));
        let names = bar["spans"].as_array().unwrap();
        assert!(names.contains(&commit.name.clone().into()), "{bar}");

        let own = json!([spans[0].name, commit.name]);
        let together = json!({"spans": own, "lines": [of_commit], "bars": ["1"]});
        let row = ".waterfall tr:has(.doubled)";
        let line = "const all = [...document.querySelectorAll('.logs li')];
            all.find((line) => line.innerText.includes('A test: committed')).id = 'tested'";
        browser.script(line).await;
        for part in [row, "#tested"] {
            browser.hover(part).await;
            assert_eq!(lit(browser).await, together, "the pointer is at {part}");
            browser.hover("h1").await;
            assert_eq!(lit(browser).await, nothing, "the pointer has left {part}");
            focus(browser, &format!("{part} a")).await;
            assert_eq!(lit(browser).await, together, "the focus is on {part}");
            focus(browser, ".steps input").await;
        }

        focus(browser, "#tested a").await;
        browser.press(thirtyfour::Key::Enter).await;
        let attributes = browser.text(".evidence .scroll[id]:not([hidden])").await;
        assert!(attributes.contains("campuscafe.reservation.late"), "{attributes}");
        let chosen = json!({"spans": [commit.name], "lines": [of_commit], "bars": ["1"]});
        assert_eq!(lit(browser).await, chosen, "it stays chosen");
    })
    .await;
}

#[tokio::test]
async fn log_lines_fit_a_phone_and_leave_the_wall() {
    in_browser("log lines fit", async |browser, cafe| {
        browser.finish(&cafe.lab, DOUBLE).await;
        let path = browser.path().await;
        let (trace, spans) = trace_of(cafe, path.trim_start_matches("/runs/")).await;
        let long = format!("A test: {}", "the caller left long ago; ".repeat(8));
        cafe.write_logs(&trace, &[(late_commit(&spans), &long), (given_up(&spans), &long)]).await;
        browser.size(390, 844).await;
        browser.reload().await;
        browser.click(".evidence > summary").await;
        let fits = "const line = document.querySelector('.logs li');
            const [time, , text] = [...line.children].map((part) => part.getBoundingClientRect());
            return [document.documentElement.scrollWidth <= innerWidth, text.right <= innerWidth,
                text.top >= time.bottom, text.width > 250, time.height >= 24]";
        assert_eq!(browser.script(fits).await, json!([true, true, true, true, true]));
        browser.photograph("logs-phone", 390).await;
        browser.size(1280, 1000).await;
        browser.photograph("logs", 1280).await;
        browser.script("document.body.classList.add('wall')").await;
        let seen = browser.script("return document.querySelector('.logs').checkVisibility()").await;
        assert_eq!(seen, false, "the wall shows the picture and who knows what");
    })
    .await;
}
