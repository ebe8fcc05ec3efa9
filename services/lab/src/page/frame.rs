//! What stands around every page.

use maud::{DOCTYPE, Markup, html};

use super::Case;
use super::menu::menu;
use crate::lessons::Experiment;
use crate::messages::Language;

/// Who reads a page, and how.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reader {
    pub(crate) language: Language,
    /// Whether the page is shown to a class: larger, and only what a class looks at.
    pub(crate) wall: bool,
}

impl Reader {
    pub(super) fn say(self, id: &str) -> std::borrow::Cow<'static, str> {
        self.language.say(id)
    }
}

/// Which page it is.
pub(super) struct Place<'a> {
    pub(super) path: &'a str,
    /// The lesson that it belongs to.
    pub(super) lesson: Option<Case>,
}

/// A form that begins a run of an experiment, or of another `kind`, without a question.
pub(super) fn run_form(
    reader: Reader,
    (kind, experiment): (&str, &Experiment),
    invites: &str,
) -> Markup {
    html! {
        form class="card predict" method="post" action="/runs" {
            input type="hidden" name=(kind) value=(experiment.name);
            p { (reader.say(invites)) }
            button class="run" type="submit" { (reader.say("run")) }
        }
    }
}

/// A whole page.
pub(super) fn page(reader: Reader, place: &Place<'_>, title: &str, main: &Markup) -> String {
    let path = place.path;
    let (language, other) = (reader.language, reader.language.other());
    html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · CampusCafe" }
                link rel="stylesheet" href="/assets/page.css";
                link rel="icon" href="/assets/icon.svg";
                script type="module" src="/assets/page.js" {}
            }
            body class=[reader.wall.then_some("wall")] {
                a class="skip" href="#main" { (reader.say("skip")) }
                header class="top" {
                    a class="brand" href="/" {
                        img src="/assets/icon.svg" alt="" width="28" height="28";
                        "CampusCafe"
                    }
                    (menu(reader, place))
                    div class="tools" {
                        (choice(path, "language", other.tag(), &reader.say("language-switch"), other.tag()))
                        @let (value, words) = if reader.wall { ("off", "wall-off") } else { ("on", "wall-on") };
                        (choice(path, "wall", value, &reader.say(words), language.tag()))
                        a href="/swagger/" { (reader.say("nav-api")) }
                    }
                }
                main id="main" { (main) }
            }
        }
    }
    .into_string()
}

/// A page that says one thing.
pub(crate) fn message(reader: Reader, path: &str, text: &str) -> String {
    let main = html! {
        section class="lesson" { header {
            h1 { (text) }
            p class="actions" { a class="button" href="/" { (reader.say("nav-lessons")) } }
        } }
    };
    page(reader, &Place { path, lesson: None }, text, &main)
}

/// A choice that is kept in a cookie, so it is a form: a link must not change anything.
fn choice(path: &str, name: &str, value: &str, words: &str, language: &str) -> Markup {
    html! {
        form method="post" action="/choices" {
            input type="hidden" name="path" value=(path);
            button class="quiet" name=(name) value=(value) lang=(language) { (words) }
        }
    }
}
