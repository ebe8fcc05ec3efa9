//! What the programs are made of.

use std::process::Command;

#[test]
fn no_program_has_tls_or_a_c_library_beyond_libc_in_it() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--edges", "normal,build", "--prefix", "none", "--locked"])
        .current_dir(campuscafe_tests::root())
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8_lossy(&tree.stdout);
    let names: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"tokio"), "this is the tree");
    let tls = ["rustls", "native-tls", "openssl", "ring", "aws-lc-rs", "schannel", "boring"];
    // Bindings without a library behind them: they call the kernel, or Windows itself.
    let bare = ["linux-raw-sys", "windows-sys"];
    for name in names {
        assert!(!tls.contains(&name), "{name} is a TLS library");
        assert!(!name.ends_with("-sys") || bare.contains(&name), "{name} binds a C library");
        assert!(!["cc", "cmake", "pkg-config", "bindgen"].contains(&name), "{name} builds C");
    }
}

#[test]
fn the_evidence_knows_no_http_and_no_runtime() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--package", "campuscafe-evidence", "--edges", "normal,build"])
        .args(["--prefix", "none", "--locked"])
        .current_dir(campuscafe_tests::root())
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8_lossy(&tree.stdout);
    let names: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"campuscafe-chaos"), "this is the tree");
    for name in ["axum", "hyper", "reqwest", "tokio", "tracing", "campuscafe-telemetry"] {
        assert!(!names.contains(&name), "{name} is below the evidence");
    }
}
