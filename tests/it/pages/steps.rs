//! A picture, step by step, and who knows what at each step.

use thirtyfour::Key;

use super::browser::{Browser, in_browser};
use super::lesson::DOUBLE;

/// What the page shows at a step.
#[derive(Debug)]
struct Instant {
    ms: u64,
    customer: String,
    order: String,
    inventory: String,
}

/// What is shown now.
async fn now(browser: &Browser) -> Instant {
    let shown = "const known = document.querySelector('.known:not([hidden])');
        return [known.querySelector('time'), ...known.querySelectorAll('.who ul')]
            .map((part) => part.innerText)";
    let [time, customer, order, inventory]: [String; 4] =
        serde_json::from_value(browser.script(shown).await).expect("a time and three columns");
    let ms = time.replace([',', ' '], "").trim_end_matches("ms").parse().expect("milliseconds");
    Instant { ms, customer, order, inventory }
}

/// The step that the picture marks, which is the one that the slider and the columns show.
async fn step(browser: &Browser) -> u64 {
    let steps = "const shown = (selector) => [...document.querySelectorAll(selector)]
            .filter((it) => it.checkVisibility()).map((it) => Number(it.dataset.step));
        return [document.querySelector('.steps input').valueAsNumber,
            [...new Set(shown('.wide .now'))], shown('.known')]";
    let told = browser.script(steps).await;
    let step = told[0].as_u64().expect("a step");
    assert_eq!((&told[1], &told[2]), (&vec![step].into(), &vec![step].into()), "{told}");
    step
}

#[tokio::test]
async fn a_picture_is_gone_through_with_buttons_with_the_slider_and_with_arrow_keys() {
    in_browser("a picture has steps", async |browser, cafe| {
        browser.finish(&cafe.lab, DOUBLE).await;
        let last = step(browser).await;
        assert!(last > 6, "the last step is shown first, and there are more: {last}");
        let (back, next) = (".steps button:first-of-type", ".steps button:last-of-type");
        let off = browser.the(next).await.attr("aria-disabled").await.unwrap();
        assert_eq!(off.as_deref(), Some("true"), "nothing comes after the end");
        browser.click(back).await;
        browser.click(back).await;
        assert_eq!(step(browser).await, last - 2);
        browser.click(next).await;
        assert_eq!(step(browser).await, last - 1);
        // The focus is on a button, and stays there at the end of the picture.
        for (key, expected) in [
            (Key::Left, last - 2),
            (Key::Up, last - 3),
            (Key::Right, last - 2),
            (Key::Down, last - 1),
            (Key::Right, last),
            (Key::Left, last - 1),
        ] {
            browser.press(key.clone()).await;
            assert_eq!(step(browser).await, expected, "after {key:?}");
        }
        browser.the(".steps input").await.focus().await.unwrap();
        for (key, expected) in
            [(Key::Home, 0), (Key::Right, 1), (Key::End, last), (Key::Left, last - 1)]
        {
            browser.press(key.clone()).await;
            assert_eq!(step(browser).await, expected, "the slider after {key:?}");
        }
        let row = browser.the(".wide .row[data-step='3'] .veil").await;
        row.click().await.unwrap();
        assert_eq!(step(browser).await, 3, "a row was pressed");
    })
    .await;
}

#[tokio::test]
async fn who_knows_what_is_right_at_three_instants_and_nothing_is_known_before_it_happened() {
    in_browser("the page says who knows what", async |browser, cafe| {
        browser.finish(&cafe.lab, DOUBLE).await;
        let last = step(browser).await;
        browser.the(".steps input").await.focus().await.unwrap();
        browser.press(Key::Home).await;
        let mut instants = vec![now(browser).await];
        for _ in 0..last {
            browser.press(Key::Right).await;
            instants.push(now(browser).await);
        }
        assert!(instants.is_sorted_by_key(|instant| instant.ms), "{instants:#?}");
        let find = |what: &str, found: &dyn Fn(&Instant) -> bool| {
            let found = instants.iter().position(found);
            found.unwrap_or_else(|| panic!("never {what} in {instants:#?}"))
        };
        let cannot = "attempt 1: no answer (timeout), so it cannot know";
        let reserved = "attempt 2: answered 200, so it is reserved";
        let again = "attempt 1: committed, the 2nd of this order";

        let timeout = find("a timeout", &|instant| instant.order.contains(cannot));
        let after = &instants[timeout];
        assert!((1_000..1_800).contains(&after.ms), "{after:#?}");
        assert!(after.order.contains("reservations: 0 to 1"), "{after:#?}");
        assert!(after.customer.contains("cannot know yet"), "{after:#?}");
        assert!(after.inventory.contains("attempt 1: works on it"), "{after:#?}");

        let answer = find("an answer", &|instant| instant.order.contains(reserved));
        let after = &instants[answer];
        assert!(after.order.contains(cannot), "{after:#?}");
        assert!(after.order.contains("reservations: 1 to 2"), "{after:#?}");
        let told = find("an outcome", &|instant| instant.customer.contains("was told: confirmed"));
        assert!(told >= answer && instants[told].customer.contains("knows of a reservation"));

        let end = &instants[instants.len() - 1];
        assert!(end.ms >= 2_000 && end.inventory.contains(again), "{end:#?}");
        assert!(end.order.contains(cannot), "the order service never learns of it: {end:#?}");
        assert!(!end.customer.contains("2nd"), "{end:#?}");

        let begin = &instants[0];
        assert_eq!((&*begin.order, &*begin.inventory), ("nothing yet", "nothing yet"));
        for (number, instant) in instants.iter().enumerate() {
            let early = [
                number < timeout && instant.order.contains("no answer"),
                number < timeout && instant.order.contains("attempt 2"),
                number < timeout && instant.inventory.contains("attempt 2"),
                number < timeout && instant.inventory.contains("has left"),
                number < answer && instant.order.contains("answered"),
                number < told && instant.customer.contains("was told"),
                instant.ms < 1_990 && instant.inventory.contains("2nd"),
            ];
            assert!(!early.contains(&true), "known too soon at step {number}: {instant:#?}");
        }
    })
    .await;
}
