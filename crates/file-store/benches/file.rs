//! The file store beside bare redb that makes the same commits, and redb in memory. Prints
//! ratios of one run; nothing is asserted.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use campuscafe_file_store::{FileStore, Row, Source as _};
use redb::backends::InMemoryBackend;
use redb::{Database, TableDefinition};
use tokio::time::Instant;

/// How many changes each round makes.
const CHANGES: u64 = 4_000;

/// What one reservation under a key writes, in the sizes of the inventory's rows.
fn change(number: u64) -> Vec<Row> {
    // Spread as hashes are.
    let hash = u128::from(number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    let row = |table, key: Vec<u8>, bytes| Row { table, key, value: Some(vec![b'x'; bytes]) };
    vec![
        row("stock", b"cake".to_vec(), 16),
        row("counters", b"all".to_vec(), 60),
        row("keys", format!("order-{number:032x}").into_bytes(), 190),
        row("commits", hash.to_be_bytes().to_vec(), 20),
    ]
}

/// So many callers, each of whom waits for its change before it makes the next.
async fn with_store(store: &FileStore, callers: u64) -> Duration {
    let begun = Instant::now();
    let caller = |caller| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in (0..CHANGES / callers).map(|nth| nth * callers + caller) {
                store.write(change(number)).durable().await.unwrap();
            }
        })
    };
    let all: Vec<_> = (0..callers).map(caller).collect();
    for one in all {
        one.await.unwrap();
    }
    begun.elapsed()
}

/// The same changes in this many commits.
fn with_redb(path: &Path, commits: u64) -> Duration {
    let database = Database::builder().set_cache_size(8 << 20).create(path).unwrap();
    let begun = Instant::now();
    for commit in 0..commits {
        let transaction = database.begin_write().unwrap();
        let share = |commit| commit * CHANGES / commits;
        for row in (share(commit)..share(commit + 1)).flat_map(change) {
            let table: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new(row.table);
            let mut table = transaction.open_table(table).unwrap();
            table.insert(&*row.key, &*row.value.unwrap()).unwrap();
        }
        transaction.commit().unwrap();
    }
    begun.elapsed()
}

fn commits(store: &FileStore) -> u64 {
    let own = store.rows("campuscafe").unwrap();
    let (_, value) = own.into_iter().find(|(key, _)| key == b"commits").unwrap();
    u64::from_be_bytes(value.try_into().unwrap())
}

fn a_second(time: Duration) -> f64 {
    CHANGES as f64 / time.as_secs_f64()
}

fn directory(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench").join(name);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

#[tokio::main]
async fn main() {
    println!("changes a second, four rows each; a file on this machine's disk");
    for callers in [1, 16, 100] {
        let opened = directory("store");
        let store = FileStore::open(&opened, "bench", 1).unwrap();
        let file = with_store(&store, callers).await;
        let made = commits(&store);
        drop(store);
        let begun = Instant::now();
        drop(FileStore::open(&opened, "bench", 1).unwrap());
        let reopened = begun.elapsed();
        let bare = with_redb(&directory("bare").join("bench.redb"), made);
        println!(
            "{callers:>4} callers: file store {:>8.0}, bare redb with the same {made} commits \
             {:>8.0}, ratio {:.2}; a commit takes {:.2} ms; \
             it opens in {reopened:.1?}",
            a_second(file),
            a_second(bare),
            bare.as_secs_f64() / file.as_secs_f64(),
            file.as_secs_f64() * 1_000.0 / made as f64,
        );
    }
    for callers in [1, 100] {
        let memory = || Ok(InMemoryBackend::new());
        let store = FileStore::with_backend(memory, "memory", 1).unwrap();
        let time = with_store(&store, callers).await;
        println!(
            "{callers:>4} callers: redb in memory {:>8.0}, {:.1} us each",
            a_second(time),
            time.as_secs_f64() * 1e6 / CHANGES as f64
        );
    }
}
