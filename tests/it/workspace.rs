//! What the programs are made of.

use std::process::Command;

/// The names of all packages in a tree of dependencies.
fn tree(of: &[&str]) -> Vec<String> {
    let tree = Command::new(env!("CARGO"))
        .arg("tree")
        .args(of)
        .args(["--edges", "normal,build", "--prefix", "none", "--locked"])
        .current_dir(campuscafe_tests::root())
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8_lossy(&tree.stdout);
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn no_program_has_tls_or_a_c_library_beyond_libc_in_it() {
    let names = tree(&["--workspace"]);
    assert!(names.iter().any(|name| name == "tokio"), "this is the tree");
    let tls = ["rustls", "native-tls", "openssl", "ring", "aws-lc-rs", "schannel", "boring"];
    // Bindings without a library behind them: they call the kernel, or Windows itself.
    let bare = ["linux-raw-sys", "windows-sys"];
    for name in names.iter().map(String::as_str) {
        assert!(!tls.contains(&name), "{name} is a TLS library");
        assert!(!name.ends_with("-sys") || bare.contains(&name), "{name} binds a C library");
        assert!(!["cc", "cmake", "pkg-config", "bindgen"].contains(&name), "{name} builds C");
    }
}

#[test]
fn the_evidence_knows_no_http_and_no_runtime() {
    let names = tree(&["--package", "campuscafe-evidence"]);
    assert!(names.iter().any(|name| name == "campuscafe-chaos"), "this is the tree");
    for name in ["axum", "hyper", "reqwest", "tokio", "tracing", "campuscafe-telemetry"] {
        assert!(!names.iter().any(|found| found == name), "{name} is below the evidence");
    }
}
