//! A lesson before its run: the situation, the request, and the prediction.

use maud::{Markup, html};

use super::frame::{Place, page};
use super::run::pending;
use super::situation::situation;
use super::{Case, Reader};

/// The page of a case.
pub(super) fn lesson(reader: Reader, case: Case, orders: Option<&str>) -> String {
    let title = case.title(reader);
    let main = html! {
        (situation(reader, case, case.request().as_ref(), orders))
        (predict(reader, case))
        @if case.request().is_some() { (pending(reader, false)) }
    };
    page(reader, &Place { path: &case.path(), lesson: Some(case) }, &title, &main)
}

/// The form that begins a run.
fn predict(reader: Reader, case: Case) -> Markup {
    html! {
        h2 { (reader.say("predict")) }
        form class="card predict" method="post" action="/runs" {
            input type="hidden" name="experiment" value=(case.experiment.name);
            input type="hidden" name="trial" value=(case.number);
            @for question in case.questions() { (question.ask(reader)) }
            button class="run" type="submit" { (reader.say("run")) }
        }
    }
}
