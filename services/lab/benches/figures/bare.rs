//! The least that two hops can cost: two axum servers that do no work, each a
//! process of its own, the first calling the second for every request.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use axum::Router;
use axum::routing::post;
use tokio::net::TcpListener;

const ROLE: &str = "FIGURES_BARE";

pub(crate) struct Pair {
    pub(crate) order: String,
    children: [Child; 2],
}

impl Pair {
    pub(crate) fn open() -> Self {
        let start = |role: &str| {
            let mut program = Command::new(std::env::current_exe().expect("this program"));
            started(program.env(ROLE, role))
        };
        let (inventory, at) = start("inventory");
        let (order, url) = start(&at);
        Self { order: url, children: [order, inventory] }
    }

    /// The same two hops with telemetry from ready-made crates, whose spans go to `lab`.
    pub(crate) fn ready_made(program: &Path, lab: &str) -> Self {
        let start = |arguments: &[&str]| {
            let mut program = Command::new(program);
            program.args(arguments).env("OTEL_EXPORTER_OTLP_ENDPOINT", lab).stderr(Stdio::null());
            started(&mut program)
        };
        let (inventory, at) = start(&["inventory"]);
        let (order, url) = start(&["order", &at]);
        Self { order: url, children: [order, inventory] }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts a program that prints its address.
pub(crate) fn started(program: &mut Command) -> (Child, String) {
    let mut child = program.stdout(Stdio::piped()).spawn().expect("starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    (child, line.trim().to_owned())
}

pub(crate) fn is_asked_for() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// The second of the pair, or the first, which is told where the second is.
pub(crate) fn serve() {
    let role = std::env::var(ROLE).expect("a role");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("starts");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("http://{}", listener.local_addr().expect("an address"));
        let app = if role == "inventory" {
            Router::new().route("/orders", post(async |body: String| body))
        } else {
            let client = reqwest::Client::builder().no_proxy().build().expect("a client");
            let next = format!("{role}/orders");
            let hop = async move |body: String| {
                let answer = client.post(&next).body(body).send().await.expect("an answer");
                answer.text().await.expect("read whole")
            };
            Router::new().route("/orders", post(hop))
        };
        axum::serve(listener, app).await.expect("serves");
    });
}
