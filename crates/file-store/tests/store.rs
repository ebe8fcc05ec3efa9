//! What the store promises its owner, on a disk in memory and on real files.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use campuscafe_file_store::testing::{Disk, Fault, Operation};
use campuscafe_file_store::{FileStore, OpenError, Row, Source as _, Ticket, WriteError};

fn put(table: &'static str, key: &str, value: &str) -> Row {
    Row { table, key: key.into(), value: Some(value.into()) }
}

fn remove(table: &'static str, key: &str) -> Row {
    Row { table, key: key.into(), value: None }
}

fn open(disk: &Disk) -> FileStore {
    let disk = disk.clone();
    FileStore::with_backend(move || Ok(disk.backend()), "test.redb", 1).unwrap()
}

fn texts(rows: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<(String, String)> {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    rows.into_iter().map(|(key, value)| (text(key), text(value))).collect()
}

fn table(store: &FileStore, name: &'static str) -> Vec<(String, String)> {
    texts(store.rows(name).unwrap())
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn syncs(disk: &Disk) -> usize {
    disk.done().iter().filter(|operation| **operation == Operation::Sync).count()
}

async fn all(tickets: Vec<Ticket>) -> Vec<Result<(), WriteError>> {
    let mut results = Vec::new();
    for ticket in tickets {
        results.push(ticket.durable().await);
    }
    results
}

#[tokio::test]
async fn rows_are_there_after_their_ticket_and_after_the_file_is_opened_again() {
    let disk = Disk::default();
    let store = open(&disk);
    store
        .write(vec![put("a", "2", "two"), put("a", "1", "one"), put("b", "1", "other")])
        .durable()
        .await
        .unwrap();
    store.write(vec![remove("a", "2"), remove("a", "never")]).durable().await.unwrap();
    let expected = [pair("1", "one")];
    assert_eq!(table(&store, "a"), expected);
    drop(store);
    let store = open(&disk);
    assert_eq!(table(&store, "a"), expected);
    assert_eq!(table(&store, "b"), [pair("1", "other")]);
    assert_eq!(table(&store, "none"), []);
}

#[tokio::test]
async fn of_rows_with_one_key_the_last_one_stays_also_within_one_commit() {
    let disk = Disk::default();
    let store = open(&disk);
    disk.pause();
    let first = store.write(vec![put("a", "other", "1")]);
    assert!(disk.is_syncing());
    let queued: Vec<_> =
        [put("a", "k", "1"), put("a", "k", "2"), remove("a", "k"), put("a", "k", "3")]
            .map(|row| store.write(vec![row]))
            .into();
    disk.go_on();
    first.durable().await.unwrap();
    assert!(all(queued).await.iter().all(Result::is_ok));
    assert_eq!(table(&store, "a"), [pair("k", "3"), pair("other", "1")]);
}

#[tokio::test]
async fn all_that_is_queued_during_a_commit_shares_the_next_one() {
    let disk = Disk::default();
    let store = open(&disk);
    let before = syncs(&disk);
    store.write(vec![put("a", "0", "")]).durable().await.unwrap();
    let of_one_commit = syncs(&disk) - before;

    disk.pause();
    let first = store.write(vec![put("a", "1", "")]);
    assert!(disk.is_syncing());
    let queued: Vec<_> =
        (2..500).map(|key| store.write(vec![put("a", &key.to_string(), "")])).collect();
    let before = syncs(&disk);
    disk.go_on();
    first.durable().await.unwrap();
    assert!(all(queued).await.iter().all(Result::is_ok));
    assert_eq!(syncs(&disk) - before, 2 * of_one_commit);
    assert_eq!(table(&store, "a").len(), 500);
}

#[tokio::test]
async fn a_barrier_waits_for_the_rows_before_it_and_is_free_when_there_are_none() {
    let disk = Disk::default();
    let store = open(&disk);
    assert!(store.write(Vec::new()).is_known());
    disk.pause();
    let rows = store.write(vec![put("a", "1", "")]);
    assert!(disk.is_syncing());
    let mut barrier = Box::pin(store.write(Vec::new()).durable());
    assert!(futures_pending(&mut barrier).await, "the row is not synced");
    disk.go_on();
    barrier.await.unwrap();
    let before = disk.operations();
    rows.durable().await.unwrap();
    assert_eq!(disk.operations(), before, "the row was durable when the barrier resolved");
    assert!(store.write(Vec::new()).is_known());
}

/// Whether it cannot go on now.
async fn futures_pending<F: Future + Unpin>(future: &mut F) -> bool {
    tokio::select! {
        biased;
        _ = future => false,
        () = tokio::task::yield_now() => true,
    }
}

#[tokio::test]
async fn after_a_full_disk_every_row_is_refused_until_the_owner_has_read_the_file_anew() {
    let disk = Disk::default();
    let store = open(&disk);
    store.write(vec![put("a", "1", "kept")]).durable().await.unwrap();
    disk.fail(Fault::Full, 0);
    let failed = store.write(vec![put("a", "1", "lost")]).durable().await;
    let reason = failed.unwrap_err().to_string();
    assert!(reason.contains("no storage space") || reason.contains("storage full"), "{reason}");
    store.failed().await;
    assert!(!store.takes_rows());
    let after = store.write(vec![put("a", "2", "lost")]).durable().await;
    assert!(matches!(after, Err(WriteError::NotWritten(_))), "{after:?}");
    let barrier = store.write(Vec::new()).durable().await;
    assert!(matches!(barrier, Err(WriteError::NotWritten(_))), "{barrier:?}");
    assert!(matches!(store.recover(), Err(OpenError::Full { .. })), "the disk is still full");
    assert!(!store.takes_rows());

    disk.heal();
    let recovery = store.recover().unwrap();
    assert_eq!(texts(recovery.rows("a").unwrap()), [pair("1", "kept")]);
    assert!(!store.takes_rows(), "the owner's values are still the old ones");
    recovery.resume();
    assert!(store.takes_rows());
    store.write(vec![put("a", "3", "new")]).durable().await.unwrap();
    drop(store);
    assert_eq!(table(&open(&disk), "a"), [pair("1", "kept"), pair("3", "new")]);
}

#[tokio::test]
async fn what_is_queued_behind_a_commit_that_fails_is_not_written() {
    let disk = Disk::default();
    let store = open(&disk);
    disk.pause();
    let first = store.write(vec![put("a", "1", "")]);
    assert!(disk.is_syncing());
    let queued: Vec<_> =
        (2..9).map(|key| store.write(vec![put("a", &key.to_string(), "")])).collect();
    disk.fail(Fault::Dead, 0);
    disk.go_on();
    let first = first.durable().await;
    assert!(matches!(first, Err(WriteError::Unknown(_))), "{first:?}");
    for result in all(queued).await {
        assert!(matches!(result, Err(WriteError::NotWritten(_))), "{result:?}");
    }
    disk.heal();
    let recovery = store.recover().unwrap();
    let rows = texts(recovery.rows("a").unwrap());
    assert!(rows.is_empty() || rows == [pair("1", "")], "{rows:?}");
}

/// Whatever operation of a commit fails, and in whatever way: what the ticket says of the rows
/// is what the file says later.
#[tokio::test]
async fn a_ticket_never_contradicts_the_file_wherever_a_commit_fails() {
    let mut told = [0; 3];
    for fault in [Fault::Full, Fault::NoSync, Fault::Dead] {
        for after in 0.. {
            let disk = Disk::default();
            let store = open(&disk);
            store.write(vec![put("a", "1", "old")]).durable().await.unwrap();
            disk.fail(fault, after);
            let result =
                store.write(vec![put("a", "1", "new"), put("b", "1", "new")]).durable().await;
            let done = !disk.heal();
            if store.takes_rows() {
                result.as_ref().unwrap();
            }
            let found = table(&open_after(store, &disk), "a");
            let expected: &[&str] = match &result {
                Ok(()) => &["new"],
                Err(WriteError::NotWritten(_)) => &["old"],
                Err(WriteError::Unknown(_)) => &["old", "new"],
            };
            assert!(
                expected.iter().any(|value| found == [pair("1", value)]),
                "{fault:?} after {after}: {result:?}, and the file says {found:?}"
            );
            told[match &result {
                Ok(()) => 0,
                Err(WriteError::NotWritten(_)) => 1,
                Err(WriteError::Unknown(_)) => 2,
            }] += 1;
            if done {
                break;
            }
        }
    }
    assert!(told.iter().all(|times| *times > 0), "ok, not written, unknown: {told:?}");
}

/// Closes the store and opens its disk again.
fn open_after(store: FileStore, disk: &Disk) -> FileStore {
    drop(store);
    open(disk)
}

fn temporary(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&directory);
    directory
}

#[tokio::test]
async fn a_file_is_made_with_its_directory_and_keeps_its_rows() {
    let directory = temporary("made").join("with/parents");
    let store = FileStore::open(&directory, "inventory", 1).unwrap();
    store.write(vec![put("a", "1", "one")]).durable().await.unwrap();
    drop(store);
    assert!(directory.join("inventory.redb").is_file());
    let store = FileStore::open(&directory, "inventory", 1).unwrap();
    assert_eq!(table(&store, "a"), [pair("1", "one")]);
}

#[test]
fn a_second_store_on_the_same_file_is_refused_until_the_first_is_closed() {
    let directory = temporary("second");
    let first = FileStore::open(&directory, "inventory", 1).unwrap();
    let second = FileStore::open(&directory, "inventory", 1).unwrap_err();
    assert!(matches!(second, OpenError::InUse { .. }), "{second:?}");
    let line = second.to_string();
    assert!(line.contains("inventory.redb is in use: another process has it open"), "{line}");
    FileStore::open(&directory, "order", 1).unwrap();
    drop(first);
    FileStore::open(&directory, "inventory", 1).unwrap();
}

#[test]
fn a_file_of_another_format_is_refused_and_left_as_it_is() {
    let directory = temporary("format");
    drop(FileStore::open(&directory, "inventory", 2).unwrap());
    let newer = FileStore::open(&directory, "inventory", 1).unwrap_err();
    assert!(matches!(newer, OpenError::Newer { found: 2, known: 1, .. }), "{newer:?}");
    let older = FileStore::open(&directory, "inventory", 3).unwrap_err();
    assert!(matches!(older, OpenError::Older { found: 2, known: 3, .. }), "{older:?}");
    FileStore::open(&directory, "inventory", 2).unwrap();
}

#[test]
fn a_file_that_is_not_ours_is_refused_and_left_as_it_is() {
    let directory = temporary("foreign");
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("inventory.redb");
    let line = || FileStore::open(&directory, "inventory", 1).unwrap_err().to_string();
    for bytes in [&b"no database"[..], b"x", &[7; 5_000]] {
        std::fs::write(&file, bytes).unwrap();
        let line = line();
        assert!(line.contains("inventory.redb is not a database of this program"), "{line}");
        assert_eq!(std::fs::read(&file).unwrap(), bytes);
    }
    std::fs::remove_file(&file).unwrap();
    let other = redb::Database::create(&file).unwrap();
    let transaction = other.begin_write().unwrap();
    transaction.open_table(redb::TableDefinition::<u64, u64>::new("theirs")).unwrap();
    transaction.commit().unwrap();
    drop(other);
    let line = line();
    assert!(line.contains("another program has written it"), "{line}");

    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let error = FileStore::open(&directory, "inventory", 1).unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");

    let file = directory.join("a-file");
    std::fs::write(&file, "").unwrap();
    let error = FileStore::open(&file, "inventory", 1).unwrap_err();
    assert!(matches!(error, OpenError::Directory { .. }), "{error:?}");
}

/// A page that was altered is a sentence, or changes nothing that is read.
#[tokio::test]
async fn a_damaged_file_is_refused_or_tells_the_truth_and_never_panics() {
    let disk = Disk::default();
    let store = open(&disk);
    let rows = (0..200).map(|key| put("a", &format!("{key:03}"), "value")).collect();
    store.write(rows).durable().await.unwrap();
    let expected = table(&store, "a");
    drop(store);
    let whole = || disk.cut_at(usize::MAX, |_| true);
    let (mut refused, step) = (0, 97);
    for offset in (0..whole().size()).step_by(step).chain(0..400) {
        let damaged = whole();
        damaged.damage(offset, 0x40);
        let backend = damaged.clone();
        match FileStore::with_backend(move || Ok(backend.backend()), "test.redb", 1) {
            Ok(store) => assert_eq!(table(&store, "a"), expected, "at {offset}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 20, "{refused}");
}
