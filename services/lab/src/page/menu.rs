//! The lessons as a menu in the head of every page: grouped, and open without a script.

use maud::{Markup, html};

use super::frame::{Place, Reader};
use super::{Case, catalogue, quiz};

/// The groups in the order of the course: the message that names each, and its lessons.
const GROUPS: [(&str, &[&str]); 5] = [
    ("menu-slow", &["local", "slow", "jitter"]),
    ("menu-cut", &["cut", "doubt", "recover"]),
    ("menu-reorder", &["reorder", "nature"]),
    ("menu-double", &["double", "idempotent", "policy", "doubleclick"]),
    ("menu-more", &["settle", "overtake", "notify", "stale", "oversell", "storm", "crash"]),
];

/// The lessons, and beside them what is no lesson of the course.
pub(super) fn menu(reader: Reader, place: &Place<'_>) -> Markup {
    let free = Case::lessons().find(|case| case.is_free());
    let here = place.lesson.filter(|lesson| !lesson.is_free());
    html! {
        nav aria-label=(reader.say("nav-lessons")) {
            details class="menu" {
                summary {
                    (reader.say("nav-lessons"))
                    @if let Some(lesson) = here { " " span class="here" { (name(reader, lesson)) } }
                }
                div class="groups" { @for (group, lessons) in GROUPS {
                    div {
                        p id=(group) { (reader.say(group)) }
                        ul aria-labelledby=(group) {
                            @for case in lessons.iter().filter_map(|name| Case::find(name, 1)) {
                                (entry(&case.path(), &name(reader, case), is_of(place, case)))
                            }
                        }
                    }
                } }
            }
            ul {
                @for (path, id) in [(catalogue::PATH, "name-catalogue"), (quiz::PATH, "name-quiz")] {
                    (entry(path, &reader.say(id), place.path == path))
                }
                @if let Some(free) = free {
                    (entry(&free.path(), &name(reader, free), is_of(place, free)))
                }
            }
        }
    }
}

/// The short name of its lesson.
fn name(reader: Reader, case: Case) -> std::borrow::Cow<'static, str> {
    reader.say(&format!("name-{}", case.experiment.name))
}

/// Whether the page belongs to this lesson.
fn is_of(place: &Place<'_>, case: Case) -> bool {
    place.lesson.is_some_and(|lesson| lesson.experiment.name == case.experiment.name)
}

fn entry(path: &str, name: &str, here: bool) -> Markup {
    html! { li { a href=(path) aria-current=[here.then_some("page")] { (name) } } }
}

/// The messages that name the groups.
#[cfg(test)]
pub(super) fn messages() -> impl Iterator<Item = String> {
    GROUPS.into_iter().map(|(group, _)| group.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lesson_stands_in_one_group_and_all_of_them_in_the_order_of_the_course() {
        let grouped = GROUPS.into_iter().flat_map(|(_, lessons)| lessons.iter().copied());
        let course = Case::lessons().filter(|case| !case.is_free());
        let course: Vec<_> = course.map(|case| case.experiment.name).collect();
        assert_eq!(grouped.collect::<Vec<_>>(), course);
    }

    #[test]
    fn the_menu_marks_the_lesson_of_its_page_and_names_it_while_it_is_closed() {
        let drawn = |path: &str, name: &str| {
            let place = Place { path, lesson: Case::find(name, 1) };
            menu(Reader::default(), &place).into_string()
        };
        let marked = |menu: &str| menu.matches("aria-current").count();
        let page = drawn("/runs/1", "stale");
        assert_eq!(marked(&page), 1, "{page}");
        assert!(page.contains("href=\"/lessons/stale/1\" aria-current=\"page\""), "{page}");
        assert!(page.contains("<span class=\"here\">Stale</span></summary>"), "{page}");
        let page = drawn("/lessons/free/1", "free");
        assert!(marked(&page) == 1 && !page.contains("class=\"here\""), "{page}");
        let page = drawn("/quiz", "none");
        assert!(page.contains("href=\"/quiz\" aria-current=\"page\""), "{page}");
        assert!(marked(&page) == 1 && !page.contains("class=\"here\""), "{page}");
    }
}
