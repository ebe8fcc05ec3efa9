//! What docker-compose.yml and .env.example say about settings.

use std::collections::BTreeMap;

use campuscafe_service::ServerSettings;
use campuscafe_tests::root;

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).expect("a file of the repository")
}

/// Every `${NAME:-default}` of docker-compose.yml.
fn defaults() -> BTreeMap<String, String> {
    let text = read("docker-compose.yml");
    let mut defaults = BTreeMap::new();
    for inside in text.split("${").skip(1) {
        let inside = inside.split('}').next().expect("it ends");
        let (name, value) = inside.split_once(":-").expect("a default");
        let before = defaults.insert(name.to_owned(), value.to_owned());
        assert!(before.is_none_or(|before| before == value), "{name} has two defaults");
    }
    defaults
}

#[test]
fn every_setting_of_compose_stands_in_the_example_and_in_its_head_with_its_default() {
    let (example, compose) = (read(".env.example"), read("docker-compose.yml"));
    let example: BTreeMap<String, String> = example
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(defaults(), example);
    let head: Vec<_> = compose
        .lines()
        .take_while(|line| line.starts_with('#'))
        .flat_map(str::split_whitespace)
        .collect();
    for (name, value) in example {
        let word = if value.is_empty() { name } else { format!("{name}={value}") };
        assert!(head.contains(&word.as_str()), "no {word} in the head of docker-compose.yml");
    }
}

#[test]
fn bounds_in_compose_are_those_that_the_programs_have_by_themselves() {
    let defaults = defaults();
    for (name, expected) in [
        ("INVENTORY_MAX_WORK", inventory::DEFAULT_MAX_WORK),
        ("ORDER_MAX_WORK", order::DEFAULT_MAX_WORK),
        ("MAX_CONNECTIONS", ServerSettings::MAX_CONNECTIONS),
    ] {
        assert_eq!(defaults.get(name), Some(&expected.to_string()), "{name}");
    }
}
