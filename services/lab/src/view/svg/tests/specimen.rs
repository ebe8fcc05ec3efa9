//! Every picture and every part of the page with its style sheet, to be looked at:
//! `target/specimen/*.html`.

use std::fs;
use std::path::Path;

use campuscafe_evidence::diagram::Diagram;
use maud::{DOCTYPE, Markup, html};

use super::super::{Shape, Sheet, Words, draw, legend};
use super::{ENGLISH, orders};
use crate::messages::Language;

const STYLE: &str = include_str!("../../../../assets/page.css");

#[test]
fn many_pictures_stand_on_one_page_and_share_no_id() {
    for (language, words) in [("en", Words(Language::English)), ("ja", Words(Language::Japanese))] {
        let page = page(
            language,
            "",
            html! {
                @for (name, diagram) in orders::all().into_iter().chain([("six-attempts", orders::many(6))]) {
                    h2 { (name) }
                    figure class="card diagram" { (pictures(name, &diagram, words)) (legend(words, name)) }
                }
            },
        );
        let ids = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let mut ids: Vec<_> = ids.collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert!(ids.len() > 80, "{ids:?}");
        assert_eq!(ids.len(), all, "{ids:?}");
        write(&format!("pictures-{language}.html"), &page);
    }
}

#[test]
fn the_parts_of_the_page_have_no_style_of_their_own() {
    for (name, class) in [("page", ""), ("wall", "wall")] {
        let page = page("en", class, lesson());
        // The step that a reader chose.
        let page =
            page.replace(r#"class="band" data-step="6""#, r#"class="band now" data-step="6""#);
        assert!(!page.contains(" style=") && !page.contains("<style"), "{page}");
        write(&format!("{name}.html"), &page);
    }
}

fn pictures(name: &str, diagram: &Diagram, words: Words) -> Markup {
    html! {
        @for (kind, shape) in [("wide", Shape::Wide), ("narrow", Shape::Narrow)] {
            @let prefix = format!("{name}-{kind}");
            (draw(diagram, words, Sheet { prefix: &prefix, text: "as text", shape }))
        }
    }
}

fn lesson() -> Markup {
    let double = orders::all().swap_remove(1).1;
    html! {
        section class="lesson" {
            header {
                p class="kicker" { "Lesson 4 of 8" }
                h1 { "Doubled: one customer, two cakes" }
                p class="lead" {
                    "The inventory is slow for the first attempt. The order service waits 1 s, gives up and tries once more. The customer presses the button once."
                }
            }
            pre class="request" { code {
                "curl -X POST localhost:5302/api/orders \\\n  -d '{\"item\":\"cake\",\"quantity\":1,\n       \"chaos\":\"slow,none\",\"retry\":true}'"
            } }
        }
        (predict())
        section class="stage" aria-label="What happened" {
            figure class="card diagram" {
                (pictures("double", &double, ENGLISH))
                (legend(ENGLISH, "double"))
                (steps())
            }
            (know())
        }
        (doubt())
        (outcome())
        (evidence())
        h2 { "Before a run, and while it begins" }
        section class="stage" aria-busy="true" aria-label="What happens" {
            figure class="card diagram" { p class="empty" { "Predict first, then run." } }
            aside class="card know" { header { h2 { "Who knows what" } } p class="hint" { "Nothing has happened yet." } }
        }
        (worlds())
        (others())
    }
}

fn predict() -> Markup {
    html! {
        form class="card predict" method="post" {
            fieldset {
                legend { "What can the order service know about this order at 1.0 s?" }
                div class="chips" {
                    @for (value, words) in [("yes", "it succeeded"), ("no", "it failed"), ("unknown", "it cannot know")] {
                        label class="chip" {
                            input type="radio" name="know" value=(value) checked[value == "unknown"];
                            span { (words) }
                        }
                    }
                }
            }
            label class="field" {
                "How many reservations will this order have at 3 s?"
                input type="number" name="reservations" min="0" max="9" value="1";
            }
            button class="run" type="submit" { "Run" }
        }
    }
}

fn steps() -> Markup {
    html! {
        div class="steps" {
            button type="button" aria-label="One step back" { "←" }
            button type="button" aria-label="One step on" { "→" }
            input type="range" min="0" max="8" value="5" aria-label="Step";
            output { "6 of 9" }
        }
    }
}

fn know() -> Markup {
    html! {
        aside class="card know" {
            header { h2 { "Who knows what" } time { "1,003 ms" } }
            div class="who" { h3 { "Customer" } ul { li { "I ordered one cake." } li class="unknown" { "No answer yet." } } }
            div class="who" { h3 { "Order service" } ul {
                li { "Attempt 1 sent at 1 ms, no answer in 1 s." }
                li class="unknown" { "Reserved or not: it cannot know." }
                li { "Attempt 2 sent at 1,002 ms." }
            } }
            div class="who" { h3 { "Inventory" } ul {
                li { "Attempt 1: the caller has left, the work goes on." }
                li class="committed" { "Attempt 2: committed, 9 cakes left." }
            } }
        }
    }
}

fn doubt() -> Markup {
    html! {
        section class="card doubt" {
            p { "The reservation is committed and the reply is held. What do you tell the customer?" }
            div class="actions" { button { "Release it" } button { "Cut it" } button { "Let it time out" } }
        }
    }
}

fn outcome() -> Markup {
    html! {
        dl class="ledger" {
            div class="tile" { dt { "The customer was told" } dd class="confirmed" { "1 cake" } }
            div class="tile" { dt { "Reservations of this order" } dd class="committed" { "2 cakes" } }
            div class="tile gap" { dt { "Difference" } dd { "+ 1" } }
        }
        section class="verdict doubled" {
            p { "The first attempt committed at 2.0 s, one second after its caller had left. One customer, two cakes." }
            p class="why" { "The commit at 2,002 ms decides it: nobody waited for it, and it happened." }
        }
        table class="sides" {
            thead { tr { th { "Question" } th { "Your prediction" } th { "You saw" } th { "The evidence" } } }
            tbody {
                @for (question, predicted, seen, evidence) in [
                    ("The order service at 1.0 s", ("confirmed", "✓ it cannot know"), "no answer", "Attempt 1 had no answer"),
                    ("Reservations at 3 s", ("unknown", "1"), "two diamonds", "2"),
                ] {
                    tr {
                        th { (question) }
                        td data-head="Your prediction" class=(predicted.0) { (predicted.1) }
                        td data-head="You saw" { (seen) }
                        td data-head="The evidence" { (evidence) }
                    }
                }
            }
        }
        p class="links" { a href="#" { "This trace in Jaeger" } a href="#" { "This minute in Grafana" } a href="#" { "As text" } }
    }
}

fn evidence() -> Markup {
    html! {
        details class="card evidence" open {
            summary { "Spans, attributes and log lines" }
            div {
                div class="scroll" tabindex="0" { table class="waterfall" {
                    thead { tr { th { "Span" } th { "When" } th class="duration" { "Duration" } } }
                    tbody { @for (depth, name, x, width, lit) in [
                        (0, "POST /api/orders", 0, 502, false), (1, "reserve, attempt 1", 1, 500, false),
                        (2, "POST /api/reservations", 1, 999, true), (1, "reserve, attempt 2", 502, 6, false),
                    ] { tr class=[lit.then_some("lit")] {
                        th class=(format!("depth-{depth}")) { (name) }
                        td { svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" { rect x=(x) width=(width) height="10" {} } }
                        td class="duration" { (width * 2) " ms" }
                    } } }
                } }
                div class="scroll" { table class="attributes" { tbody {
                    @for (name, value) in [("campuscafe.reservation.item", orders::HOSTILE), ("campuscafe.reservation.late", "true")] {
                        tr { th { (name) } td { (value) } }
                    }
                } } }
                ol class="logs" { @for (at, who, line) in [
                    ("1,001 ms", "order", "gives up attempt 1 after 1 s: timeout"), ("2,002 ms", "inventory", "committed cake 9 → 8, late, duplicate"),
                ] { li { time { (at) } b { (who) } span { (line) } } } }
            }
        }
    }
}

fn worlds() -> Markup {
    let of =
        |name: &str| orders::all().into_iter().find(|(order, _)| *order == name).expect("it").1;
    html! {
        h2 { "Two worlds, one view" }
        section class="worlds" {
            @for name in ["abort", "lostreply"] {
                figure class="card diagram" { figcaption { (name) } (pictures(name, &of(name), ENGLISH)) }
            }
        }
    }
}

fn others() -> Markup {
    html! {
        section class="card real" { h2 { "What is real here" } p { "Two services, real HTTP and real time. Every mark in the picture is a span that a service sent." } }
        h2 { "Catalogue" }
        ol class="catalogue" { li class="card" {
            div { h3 { "Symptom" } p class="symptom" { "The customer pays twice" } }
            div { h3 { "Trap" } p { "Retrying work that was not cancelled" } }
            div { h3 { "First remedy" } p { "An idempotency key" } }
            a class="button" href="#" { "Show it" }
        } }
        h2 { "Quiz" }
        ol class="quiz" { li class="card" {
            fieldset { legend { "A timeout of 1 s has passed. Which is true?" }
                div class="chips" { @for words in ["The work was cancelled", "The work may still happen"] {
                    label class="chip" { input type="radio" name="q1"; span { (words) } }
                } } }
            p class="answer right" { "The work may still happen: nobody told the inventory to stop." }
            div class="actions" { button { "Prove it" } }
        } }
        h2 { "Runs of this sitting" }
        ul class="runs" { @for at in ["14:02:11", "14:03:40"] { li { time { (at) } a href="#" { "doubled" } span { "as promised" } } } }
    }
}

fn page(language: &str, class: &str, body: Markup) -> String {
    html! {
        (DOCTYPE)
        html lang=(language) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "CampusCafe" }
                link rel="stylesheet" href="page.css";
            }
            body class=(class) {
                a class="skip" href="#main" { "To the content" }
                header class="top" {
                    a class="brand" href="/" { "CampusCafe" }
                    nav aria-label="Lessons" { ul { @for name in ["Slow", "Cut", "Reordered", "Doubled", "Free play", "Catalogue", "Quiz"] {
                        li { a href="#" aria-current=[(name == "Doubled").then_some("page")] { (name) } }
                    } } }
                    div class="tools" { a href="#" aria-current="true" { "English" } a href="#" lang="ja" { "日本語" } a href="#" { "Wall" } }
                }
                main id="main" { (body) }
            }
        }
    }
    .into_string()
}

fn write(name: &str, page: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/specimen");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("page.css"), STYLE).expect("a file");
    fs::write(folder.join(name), page).expect("a file");
}
