//! The arrows between the modules of the lab point down: a test reads them from
//! the sources.

use std::fs;
use std::path::{Path, PathBuf};

/// Each module with those it may use. It may only name modules further down, so
/// there is no way back up, and no circle.
const LAYERS: [(&str, &[&str]); 13] = [
    (
        "commands",
        &[
            "server",
            "run",
            "view",
            "messages",
            "lessons",
            "targets",
            "links",
            "children",
            "http",
            "stderr",
            "printable",
        ],
    ),
    (
        "server",
        &["page", "messages", "run", "targets", "links", "view", "children", "lessons", "http"],
    ),
    ("run", &["lessons", "targets", "children", "http", "messages", "printable"]),
    ("targets", &["links", "lessons", "http"]),
    ("links", &["lessons", "messages"]),
    ("page", &["view", "messages", "lessons", "printable"]),
    ("view", &["messages", "lessons", "stderr", "printable"]),
    ("children", &["http", "stderr"]),
    ("lessons", &["messages"]),
    ("http", &[]),
    ("messages", &[]),
    ("stderr", &[]),
    ("printable", &[]),
];

/// The layer of a module; `doctor` is a command.
fn layer(module: &str) -> &str {
    if module == "doctor" { "commands" } else { module }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All source files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    let mut all: Vec<_> = entries.flat_map(files).collect();
    all.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    all
}

/// The top module that a file belongs to.
fn module(path: &Path) -> String {
    let first = path.strip_prefix(sources()).unwrap().iter().next().unwrap();
    Path::new(first).file_stem().unwrap().to_str().unwrap().to_owned()
}

/// The modules that a text names with `crate::`, alone or in braces.
fn used(text: &str) -> Vec<&str> {
    let word = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_');
    let mut used = Vec::new();
    for after in text.split("crate::").skip(1) {
        let list = match after.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default(),
            None => &after[..word(after).unwrap_or(after.len())],
        };
        let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
        used.extend(names.map(|name| &name[..word(name).unwrap_or(name.len())]));
    }
    used
}

/// Each file that uses a module which its own layer does not name.
fn upward(files: &[(String, String)]) -> Vec<String> {
    let mut upward = Vec::new();
    for (module, text) in files {
        let own = layer(module);
        let below = LAYERS.iter().find(|(name, _)| *name == own).map(|(_, below)| *below);
        let Some(below) = below else {
            upward.push(format!("{module} has no place among the layers"));
            continue;
        };
        let not_below = |used: &&str| layer(used) != own && !below.contains(used);
        let wrong = used(text).into_iter().filter(not_below);
        upward.extend(wrong.map(|used| format!("{module} uses {used}, which is not below it")));
    }
    upward
}

#[test]
fn no_module_uses_one_that_is_not_below_it() {
    let top = ["lib", "main", "layers"];
    let files: Vec<_> = files(&sources())
        .into_iter()
        .map(|path| (module(&path), fs::read_to_string(path).unwrap()))
        .filter(|(module, _)| !top.contains(&module.as_str()))
        .collect();
    assert!(files.len() > 40, "these are the sources");
    assert_eq!(upward(&files), Vec::<String>::new());
}

#[test]
fn an_import_that_points_up_is_found() {
    let file = |module: &str, text: &str| vec![(module.to_owned(), text.to_owned())];
    for (module, text, expected) in [
        ("run", "use crate::lessons::Finding;\nuse crate::run::Runner;", None),
        ("run", "use crate::view::text;", Some("run uses view, which is not below it")),
        (
            "lessons",
            "fn of(link: crate::links::Link)",
            Some("lessons uses links, which is not below it"),
        ),
        (
            "http",
            "use crate::{stderr, targets::Place};",
            Some("http uses stderr, which is not below it"),
        ),
        ("poster", "", Some("poster has no place among the layers")),
        ("doctor", "use crate::commands::up;", None),
    ] {
        let found = upward(&file(module, text));
        assert_eq!(found.first().map(String::as_str), expected, "{module}: {text}");
    }
}

#[test]
fn the_layers_themselves_only_look_down() {
    for (index, (module, below)) in LAYERS.iter().enumerate() {
        for name in *below {
            let place = LAYERS.iter().position(|(other, _)| other == name);
            assert!(place.is_some_and(|place| place > index), "{name} is not below {module}");
        }
    }
}
