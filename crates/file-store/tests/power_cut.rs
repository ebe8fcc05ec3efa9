//! The power is cut at every point of a file's life.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use campuscafe_file_store::testing::{Disk, Operation};
use campuscafe_file_store::{FileStore, Row, Source as _};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn open(disk: &Disk) -> FileStore {
    let disk = disk.clone();
    FileStore::with_backend(move || Ok(disk.backend()), "test.redb", 1).unwrap()
}

/// The rows of the nth change: some keys are new, some are overwritten, some removed.
fn change(number: u32) -> Vec<Row> {
    let key = |key: u32| key.to_be_bytes().to_vec();
    let value = Some(vec![number as u8; 60 + (number as usize * 37) % 900]);
    vec![
        Row { table: "t", key: key(number % 11), value: value.clone() },
        Row { table: "t", key: key(100 + number), value },
        Row { table: "t", key: key(100 + number / 2), value: None },
    ]
}

fn apply(model: &mut Model, rows: &[Row]) {
    for Row { key, value, .. } in rows {
        match value {
            Some(value) => model.insert(key.clone(), value.clone()),
            None => model.remove(key),
        };
    }
}

/// The states that the file may show: after how many operations of the disk which changes were
/// acknowledged.
struct Life {
    disk: Disk,
    /// The state after each change, the empty one first.
    states: Vec<Model>,
    /// How many operations had been done when each change was acknowledged.
    acknowledged: Vec<usize>,
}

async fn live(changes: u32, at_a_time: usize) -> Life {
    let disk = Disk::default();
    let store = open(&disk);
    let (mut model, mut states, mut acknowledged) = (Model::new(), vec![Model::new()], Vec::new());
    let numbers: Vec<u32> = (0..changes).collect();
    for numbers in numbers.chunks(at_a_time) {
        let mut tickets = Vec::new();
        for number in numbers {
            let rows = change(*number);
            apply(&mut model, &rows);
            states.push(model.clone());
            tickets.push(store.write(rows));
        }
        for ticket in tickets {
            ticket.durable().await.unwrap();
            acknowledged.push(disk.operations());
        }
    }
    drop(store);
    Life { disk, states, acknowledged }
}

impl Life {
    /// What the file shows after a cut must be the state after all acknowledged changes, or
    /// after some more, in their order.
    fn check(&self, cut: usize, left: &Disk, how: &str) {
        let store = open(left);
        let found: Model = store.rows("t").unwrap().into_iter().collect();
        let least = self.acknowledged.iter().filter(|done| **done <= cut).count();
        assert!(
            self.states[least..].contains(&found),
            "cut after {cut} operations, {how}: {least} changes were acknowledged, and the file \
             shows the state after {:?} changes",
            self.states.iter().position(|state| *state == found)
        );
    }

    fn cut_everywhere(&self) {
        let done = self.disk.done();
        for cut in 0..=done.len() {
            let unsynced =
                done[..cut].iter().rev().take_while(|it| **it != Operation::Sync).count();
            let left = |kept: &dyn Fn(usize) -> bool| self.disk.cut_at(cut, kept);
            self.check(cut, &left(&|_| false), "all that was not synced is lost");
            self.check(cut, &left(&|_| true), "all is kept");
            self.check(cut, &left(&|number| number % 2 == 0), "every second one is lost");
            self.check(cut, &left(&|number| number % 2 == 1), "every first one is lost");
            for only in 0..unsynced {
                self.check(cut, &left(&|number| number == only), "only one is kept");
                self.check(cut, &left(&|number| number != only), "one is lost");
            }
        }
    }
}

#[tokio::test]
async fn after_a_power_cut_at_any_point_the_file_shows_what_was_acknowledged() {
    let life = live(12, 1).await;
    assert_eq!(life.acknowledged.len(), 12);
    life.cut_everywhere();
}

#[tokio::test]
async fn changes_that_share_a_commit_are_there_up_to_one_of_them_and_never_out_of_order() {
    live(12, 4).await.cut_everywhere();
}

/// A second cut, while the file is repaired after the first.
#[tokio::test]
async fn a_power_cut_during_the_repair_after_a_power_cut_loses_nothing() {
    let life = live(3, 1).await;
    for cut in 0..=life.disk.operations() {
        let left = life.disk.cut_at(cut, |number| number % 2 == 0);
        drop(open(&left));
        for second in 0..=left.operations() {
            for (kept, how) in [(0, "and again"), (1, "and again; every first one is lost")] {
                let again = left.cut_at(second, |number| number % 2 == kept);
                life.check(cut, &again, how);
            }
        }
    }
}
