//! The pages of runs that look the same to the order service.

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
    assert_eq!(worlds.matches("<svg class=\"spacetime narrow\"").count(), 2, "{worlds}");
    assert!(
        worlds.contains("cannot tell them apart (asserted: 2 runs, the same 4 events)"),
        "{worlds}"
    );
    assert_eq!(rest.matches("<svg class=\"spacetime wide\"").count(), 3, "each by itself");
}
