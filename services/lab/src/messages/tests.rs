//! Both languages say the same things, and a reader gets the one that they read.

use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::FluentResource;

use super::*;

const LANGUAGES: [Language; 2] = [Language::English, Language::Japanese];

/// The messages of a source, each with the names of its values.
pub(crate) fn messages(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in source.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        if let Some((id, _)) = line.split_once(" =").filter(|_| !line.starts_with(' ')) {
            assert!(!all.contains_key(id), "{id} stands twice");
            current = id.to_owned();
        }
        let names = line.split('$').skip(1).map(|after| {
            let end = after.find(|c: char| !c.is_alphanumeric()).unwrap_or(after.len());
            after[..end].to_owned()
        });
        all.entry(current.clone()).or_default().extend(names);
    }
    all
}

#[test]
fn both_languages_have_the_same_messages_with_the_same_values() {
    let [english, japanese] = LANGUAGES.map(|language| messages(language.source()));
    assert!(english.len() > 50, "these are the messages");
    assert_eq!(english, japanese);
}

#[test]
fn every_message_is_read_and_says_something() {
    for language in LANGUAGES {
        let source = language.source();
        let read = FluentResource::try_new(source.to_owned());
        let read = read.map_err(|(_, errors)| errors).expect("it is all Fluent");
        let all = messages(source);
        assert_eq!(read.entries().filter(|entry| is_message(entry)).count(), all.len());
        for (id, names) in all {
            let bundle = language.bundle();
            let pattern = bundle.get_message(&id).and_then(|message| message.value()).unwrap();
            let values = names.iter().map(|name| (name.as_str(), FluentValue::from("7")));
            let mut errors = Vec::new();
            let said = bundle.format_pattern(pattern, Some(&values.collect()), &mut errors);
            assert!(errors.is_empty() && !said.is_empty(), "{id}: {errors:?}");
            assert!(!said.contains("{$") && !said.contains('\u{2068}'), "{id}: {said}");
        }
    }
}

fn is_message(entry: &fluent_syntax::ast::Entry<&str>) -> bool {
    matches!(entry, fluent_syntax::ast::Entry::Message(_))
}

#[test]
fn a_number_chooses_the_form_of_its_word() {
    let say =
        |language: Language, count: u64| language.tell("reservations", &[("count", count.into())]);
    assert_eq!(say(Language::English, 1), "1 reservation");
    assert_eq!(say(Language::English, 2), "2 reservations");
    assert_eq!(say(Language::Japanese, 1), "1 件");
}

#[test]
fn the_language_is_the_first_that_the_reader_accepts_and_the_page_has() {
    for (header, expected) in [
        ("ja", Some(Language::Japanese)),
        ("ja-JP,ja;q=0.9,en-US;q=0.8,en;q=0.7", Some(Language::Japanese)),
        ("en-GB,en;q=0.9,ja;q=0.8", Some(Language::English)),
        ("de,ja;q=0.4,en;q=0.6", Some(Language::English)),
        ("fr, JA_jp;q=0.1", Some(Language::Japanese)),
        ("ja;q=0,en;q=0.1", Some(Language::English)),
        ("de, *;q=0.5", None),
        ("ja;q=high", None),
        ("", None),
        (",;q=1,--", None),
    ] {
        assert_eq!(Language::accepted(header), expected, "{header}");
    }
}
