//! A way to a server on which one commit is cut off.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const ARMED: u8 = 1;
const DONE: u8 = 2;

/// What happens to the next commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// It never arrives.
    Before,
    /// It is done, and its answer is lost.
    After,
    /// The same, and nothing reaches the server any more.
    ForGood,
}

/// When the next commit is cut.
#[derive(Debug, Clone)]
pub struct Scissors(Arc<AtomicU8>);

impl Scissors {
    /// The next commit is cut.
    pub fn arm(&self) {
        self.0.store(ARMED, Ordering::SeqCst);
    }

    /// Whether a commit was cut since then.
    #[must_use]
    pub fn have_cut(&self) -> bool {
        self.0.load(Ordering::SeqCst) == DONE
    }

    fn cut_now(&self) -> bool {
        self.0.compare_exchange(ARMED, DONE, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

/// The URL of a database through a way on which a commit can be cut off, once.
///
/// # Panics
///
/// When the URL is not one of this harness, or there is no port.
pub async fn cutting(url: &str, cut: Cut) -> (String, Scissors) {
    let (user, rest) = url.split_once('@').expect("a user");
    let (server, database) = rest.split_once('/').expect("a database");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let through = format!("{user}@{address}/{database}");
    let (server, scissors) = (server.to_owned(), Scissors(Arc::default()));
    let cuts = scissors.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            if cut == Cut::ForGood && cuts.have_cut() {
                continue;
            }
            let server = TcpStream::connect(&server).await.expect("the server");
            tokio::spawn(relay(client, server, cut, cuts.clone()));
        }
    });
    (through, scissors)
}

async fn relay(mut client: TcpStream, mut server: TcpStream, cut: Cut, scissors: Scissors) {
    let (mut of_client, mut of_server) = (vec![0; 8_192], vec![0; 8_192]);
    loop {
        tokio::select! {
            read = client.read(&mut of_client) => {
                let Ok(length @ 1..) = read else { return };
                let sent = &of_client[..length];
                let is_commit = sent.windows(6).any(|window| window == b"COMMIT");
                let cuts = is_commit && scissors.cut_now();
                if cuts && cut == Cut::Before {
                    return;
                }
                server.write_all(sent).await.expect("the server reads");
                if cuts {
                    // The commit is done when the server answers.
                    assert!(server.read(&mut of_server).await.expect("an answer") > 0);
                    return;
                }
            }
            read = server.read(&mut of_server) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&of_server[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
