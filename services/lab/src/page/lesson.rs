//! A lesson before its run: the situation, the request, and the prediction.

use maud::{Markup, html};

use super::frame::{Place, page};
use super::question::Knows;
use super::run::pending;
use super::situation::situation;
use super::{Case, Reader};

/// The most reservations that a person may predict.
const MOST: u64 = 9;

/// The page of a case.
pub(super) fn lesson(reader: Reader, case: Case) -> String {
    let title = reader.say(&format!("lesson-{}", case.experiment.name));
    let main = html! {
        (situation(reader, case, case.request().as_ref()))
        (predict(reader, case))
        @if case.request().is_some() { (pending(reader, false)) }
    };
    page(reader, &Place { path: &case.path(), lesson: Some(case) }, &title, &main)
}

/// The form that begins a run. A lesson that is told as a table has no question.
fn predict(reader: Reader, case: Case) -> Markup {
    let say = |id: &str| reader.say(id);
    let held = case.holds();
    html! {
        @if case.request().is_some() { h2 { (say("predict")) } }
        form class="card predict" method="post" action="/runs" {
            input type="hidden" name="experiment" value=(case.experiment.name);
            input type="hidden" name="trial" value=(case.number);
            @if case.request().is_some() {
                fieldset {
                    legend { (say(if held { "predict-knows-held" } else { "predict-knows" })) }
                    div class="chips" { @for knows in Knows::ALL {
                        label class="chip" {
                            input type="radio" name="knows" value=(knows.as_str()) required;
                            span { (say(&format!("knows-{}", knows.as_str()))) }
                        }
                    } }
                }
                label class="field" {
                    (say("predict-reservations"))
                    input type="number" name="reservations" min="0" max=(MOST) required;
                }
            } @else {
                p { (say("run-only")) }
            }
            button class="run" type="submit" { (say("run")) }
        }
    }
}
