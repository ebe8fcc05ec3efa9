//! Tells the programs which commit they were built from.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=CAMPUSCAFE_COMMIT");
    // A build without the repository, in a container say, can pass it in.
    let given = std::env::var("CAMPUSCAFE_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = given.or_else(|| git(&["rev-parse", "--short=12", "HEAD"]));
    println!("cargo:rustc-env=CAMPUSCAFE_COMMIT={}", commit.as_deref().unwrap_or("unknown"));
    if let Some(directory) = git(&["rev-parse", "--absolute-git-dir"]) {
        // The log of HEAD grows with every commit; HEAD alone may just name a branch.
        for file in ["HEAD", "logs/HEAD"] {
            let path = Path::new(&directory).join(file);
            if path.exists() {
                println!("cargo:rerun-if-changed={}", path.display());
            }
        }
    }
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
