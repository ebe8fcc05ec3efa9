//! Programs that a machine may have or not.

use std::io::Write as _;
use std::path::PathBuf;

/// The first of these programs that is on the path.
#[must_use]
pub fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    names.iter().find_map(|name| {
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|it| it.is_file())
    })
}

/// Says that a test shows nothing on this machine, also where tests that pass are silent.
pub fn skipped(why: &str) {
    // Not by a macro, whose output a test that passes does not show.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}
