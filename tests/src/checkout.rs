//! The checkout that is being tested, and its programs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The root of the checkout.
///
/// Cargo says where the package is whenever it runs a test. What the compiler was
/// told is another checkout if the test was built there and its folder copied.
#[must_use]
pub fn root() -> PathBuf {
    let package = package(|name| std::env::var_os(name));
    package.parent().map_or_else(|| package.clone(), Path::to_owned)
}

/// Where this package is: what cargo says of the package whose test it runs, if
/// that is this one, and else where it was compiled.
fn package(variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    let ours = variable("CARGO_PKG_NAME").is_some_and(|name| name == env!("CARGO_PKG_NAME"));
    variable("CARGO_MANIFEST_DIR")
        .filter(|_| ours)
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// A program of the workspace, built from the sources that are being tested.
///
/// # Panics
///
/// When it cannot be built.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(build).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Cargo gives a test the programs of its own package only, so it is asked for
/// the others; where they are up to date this takes a moment.
fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a test is a program");
    let directory = test.ancestors().nth(2).expect("target/PROFILE/deps/test").to_owned();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let mut cargo = Command::new(cargo);
    cargo.args(["build", "--quiet", "--locked", "--workspace", "--bins"]);
    if directory.ends_with("release") {
        cargo.arg("--release");
    }
    if let Some(target) = directory.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    let status = cargo.current_dir(root()).status().expect("cargo runs");
    assert!(status.success(), "the programs under test do not build");
    directory
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_where_cargo_says_unless_it_speaks_of_another() {
        let compiled = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        for (name, directory, expected) in [
            (Some(env!("CARGO_PKG_NAME")), Some("/copy/tests"), Path::new("/copy/tests")),
            (Some("another"), Some("/another"), &compiled),
            (None, Some("/another"), &compiled),
            (Some(env!("CARGO_PKG_NAME")), None, &compiled),
            (None, None, &compiled),
        ] {
            let found = package(|variable| match variable {
                "CARGO_PKG_NAME" => name.map(OsString::from),
                "CARGO_MANIFEST_DIR" => directory.map(OsString::from),
                _ => None,
            });
            assert_eq!(found, expected, "{name:?} {directory:?}");
        }
    }
}
