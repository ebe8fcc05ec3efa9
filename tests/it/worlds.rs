//! What the page of a run shows beside the picture: worlds that look the same to the order
//! service, and the spans that all of it is drawn from.

use campuscafe_tests::{Cafe, eventually};

/// Begins a run by a form, as a browser without a script does; the page of the run once it
/// is over.
async fn run_by_form(cafe: &Cafe, form: &'static str) -> String {
    let request = cafe.http.post(format!("{}/runs", cafe.lab)).body(form);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let begun = request.send().await.unwrap();
    assert_eq!(begun.status(), 200, "it leads to a page");
    let url = begun.url().to_string();
    assert!(url.contains("/runs/"), "{url}");
    eventually("the end of a run", || async {
        let page = cafe.page(&url).await;
        (!page.contains("data-run=")).then_some(page)
    })
    .await
}

#[tokio::test]
async fn both_sides_of_a_cut_are_compared_on_the_page_and_look_the_same() {
    let cafe = Cafe::open().await;
    for lesson in ["cut", "slow"] {
        let page = cafe.page(&format!("{}/lessons/{lesson}/worlds", cafe.lab)).await;
        assert!(page.contains(&format!("name=\"experiment\" value=\"{lesson}\"")), "{page}");
    }
    let none = cafe.http.get(format!("{}/lessons/double/worlds", cafe.lab)).send().await.unwrap();
    assert_eq!(none.status(), 404);

    let page = run_by_form(&cafe, "experiment=cut").await;
    let (worlds, rest) = page.split_once("Each run by itself").expect("the worlds first");
    assert_eq!(worlds.matches("<svg class=\"spacetime narrow\"").count(), 1, "{worlds}");
    assert!(
        worlds.contains("cannot tell them apart (asserted: 2 runs, the same 4 events)"),
        "{worlds}"
    );
    assert_eq!(rest.matches("<svg class=\"spacetime wide\"").count(), 3, "each by itself");
}

#[tokio::test]
async fn the_spans_of_a_run_stand_below_its_picture_with_their_attributes() {
    let cafe = Cafe::open().await;
    let page = run_by_form(&cafe, "experiment=double&trial=2").await;
    let (_, spans) = page.split_once("id=\"spans-1\"").expect("spans below the picture");
    // The order, two attempts on both sides, one fault and two commits.
    assert_eq!(spans.matches("<tr data-span=").count(), 8, "{spans}");
    assert!(page.contains("data-spans=\"spans-1\""), "the picture knows where they are");
    for attempt in [1, 2] {
        let bar = format!("class=\"bar\" data-attempt=\"{attempt}\"");
        assert_eq!(page.matches(&bar).count(), 2, "in each shape of the picture");
        assert!(spans.contains(&format!("\" data-attempt=\"{attempt}\"><th")), "{spans}");
    }
    for attribute in ["campuscafe.reservation.late", "http.request.resend_count", "service.name"] {
        let row = format!("<th scope=\"row\">{attribute}</th>");
        assert!(spans.contains(&row), "{attribute} in {spans}");
    }
    let script = cafe.http.get(format!("{}/assets/linked.js", cafe.lab)).send().await.unwrap();
    assert!(script.status().is_success());
    assert!(script.headers()["content-type"].to_str().unwrap().starts_with("text/javascript"));
}
