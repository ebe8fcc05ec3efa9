//! The line between the order service and the inventory: a TCP proxy that cuts, refuses and
//! stalls.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::dice::Dice;

/// How many connections in a hundred are cut after some bytes.
const CUT_PERCENT: u64 = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Carries everything.
    Open,
    /// Closes each new connection.
    Refusing,
    /// Keeps every byte.
    Stalled,
}

#[derive(Debug, Clone, Copy)]
struct Now {
    mode: Mode,
    /// Rises with every cut: connections of an earlier number end.
    cuts: u64,
    /// Whether some connections are cut after some bytes.
    unreliable: bool,
}

/// A running line. It ends when dropped.
#[derive(Debug)]
pub(super) struct Link {
    address: String,
    now: Arc<watch::Sender<Now>>,
    task: tokio::task::JoinHandle<()>,
}

impl Link {
    /// A line to these addresses in turn. An unreliable one cuts some connections after some
    /// bytes.
    pub(super) async fn to(addresses: Vec<String>, seed: u64, unreliable: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = listener.local_addr().expect("an address").to_string();
        let (now, _) = watch::channel(Now { mode: Mode::Open, cuts: 0, unreliable });
        let now = Arc::new(now);
        let task = tokio::spawn(accept(listener, addresses, now.clone(), Dice::new(seed, 4)));
        Self { address: own, now, task }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn set(&self, mode: Mode) {
        self.now.send_modify(|now| now.mode = mode);
    }

    /// Cuts every connection that is open.
    pub(super) fn cut(&self) {
        self.now.send_modify(|now| now.cuts += 1);
    }

    /// From now on the line carries everything.
    pub(super) fn heal(&self) {
        self.now.send_modify(|now| {
            *now = Now { mode: Mode::Open, cuts: now.cuts + 1, unreliable: false };
        });
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(
    listener: TcpListener,
    addresses: Vec<String>,
    now: Arc<watch::Sender<Now>>,
    mut dice: Dice,
) {
    let mut addresses = addresses.iter().cycle();
    while let Ok((from, _)) = listener.accept().await {
        let Now { mode, unreliable, .. } = *now.borrow();
        if mode == Mode::Refusing {
            continue;
        }
        // In which direction, and after how many bytes.
        let cut = (unreliable && dice.percent(CUT_PERCENT))
            .then(|| (dice.percent(50), dice.between(1, 2_500)));
        let Some(to) = addresses.next().cloned() else { return };
        let watched = now.subscribe();
        tokio::spawn(carry(from, to, watched, cut));
    }
}

async fn carry(
    from: TcpStream,
    to: String,
    mut now: watch::Receiver<Now>,
    cut: Option<(bool, u64)>,
) {
    let cuts = now.borrow_and_update().cuts;
    let Ok(to) = TcpStream::connect(to).await else { return };
    let (modes_there, modes_back) = (now.clone(), now.clone());
    // Without this, delayed acknowledgements make small answers late.
    let _ = (from.set_nodelay(true), to.set_nodelay(true));
    let (from_reads, from_writes) = from.into_split();
    let (to_reads, to_writes) = to.into_split();
    let room = |reply: bool| cut.filter(|(of, _)| *of == reply).map_or(u64::MAX, |(_, room)| room);
    tokio::select! {
        () = pump(from_reads, to_writes, modes_there, room(false)) => {}
        () = pump(to_reads, from_writes, modes_back, room(true)) => {}
        _ = now.wait_for(|now| now.cuts != cuts) => {}
    }
}

/// Carries bytes until one side closes or the room is used up: then both sides are closed.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut now: watch::Receiver<Now>,
    mut room: u64,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        if now.wait_for(|now| now.mode != Mode::Stalled).await.is_err() {
            return;
        }
        let carried = usize::try_from(room).unwrap_or(usize::MAX).min(read);
        if to.write_all(&buffer[..carried]).await.is_err() || carried < read {
            return;
        }
        room -= u64::try_from(carried).unwrap_or(u64::MAX);
    }
}
