//! What is true of every order with a key, whichever messages came through.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::cured::states;
use crate::network::Said;

/// An order, and the status of an answer about it.
pub(crate) type Told = (String, u64);

/// The orders as they were last seen.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    records: BTreeMap<String, Value>,
}

impl Audit {
    /// Notes what the order service says now. What it said before must still be true.
    pub(crate) fn note(&mut self, records: BTreeMap<String, Value>) {
        for (id, before) in &self.records {
            let (before, now) = (states(before), states(&records[id]));
            assert!(now.starts_with(&before), "{id} was {before:?} and is {now:?}");
            let was_final = ["failed", "cancelled"].contains(before.last().unwrap());
            assert!(!was_final || now == before, "{id} was {before:?} and is {now:?}");
            let was_confirmed = before.last() == Some(&"confirmed");
            assert!(!was_confirmed || uncancelled(&now) == before, "{id} is {now:?}");
        }
        self.records = records;
    }

    /// Checks the orders when all messages have come through: `told` is the order and status
    /// of each customer's first answer, and of the answer to the second press if there was
    /// one; `keys` is what the inventory keeps, `said` what it ever said.
    pub(crate) fn finished(
        &self,
        told: &[(Told, Option<Told>)],
        keys: &BTreeMap<String, Value>,
        said: &BTreeMap<String, Vec<Said>>,
    ) {
        for ((id, status), again) in told {
            let record = &self.records[id];
            if let Some((same, status)) = again {
                assert_eq!(id, same, "one order for two presses");
                second_press(*status, &states(record));
            }
            if record["lane"] == "naive" {
                continue;
            }
            let key = format!("order-{id}");
            let truth = Truth::of(&key, said.get(&key).map_or(&[][..], Vec::as_slice));
            let kept = keys.get(&key).map_or(&Value::Null, |key| &key["state"]);
            let (states, reserved) = (states(record), record["reserved"]["reservationId"].as_str());
            match *states.last().unwrap() {
                "confirmed" => {
                    assert!(reserved.is_some() && kept == "reserved", "{record} {kept}");
                    assert!(truth.reservation.is_none_or(|id| Some(id) == reserved), "{record}");
                }
                "failed" => {
                    assert!(reserved.is_none() && kept != "reserved", "{record} {kept}");
                    assert_eq!(truth.reservation, None, "{record}");
                }
                "cancelled" => {
                    let closed = ["cancelled", "void", "refused"].iter().any(|it| kept == it);
                    assert!(closed, "{record} {kept}");
                }
                _ => panic!("not settled: {record}"),
            }
            let allowed: &[&[&str]] = match status {
                200 => &[&["placing", "confirmed"]],
                202 => &[
                    &["placing", "unknown", "confirmed"],
                    &["placing", "unknown", "failed"],
                    &["placing", "unknown"],
                ],
                _ => &[&["placing", "failed"]],
            };
            assert!(allowed.contains(&uncancelled(&states)), "told {status}: {record}");
        }
    }

    /// How many pieces the confirmed orders of the cured lane have.
    pub(crate) fn pieces(&self) -> u64 {
        let confirmed = self.all("cured", "confirmed");
        confirmed.map(|record| record["reserved"]["quantity"].as_u64().unwrap()).sum()
    }

    pub(crate) fn count(&self, lane: &str, state: &str) -> u64 {
        self.all(lane, state).count() as u64
    }

    /// How many orders of the cured lane had no answer, and then this state.
    pub(crate) fn were_settled(&self, state: &str) -> u64 {
        let cured = self.records.values().filter(|record| record["lane"] == "cured");
        let settled = |record: &&Value| {
            states(record).windows(2).any(|two| two[0] == "unknown" && two[1] == state)
        };
        cured.filter(settled).count() as u64
    }

    fn all(&self, lane: &str, state: &str) -> impl Iterator<Item = &Value> {
        self.records.values().filter(move |it| it["lane"] == lane && it["state"] == state)
    }
}

/// The states of an order before somebody cancelled it.
fn uncancelled<'a, 'b>(states: &'b [&'a str]) -> &'b [&'a str] {
    let end = states.iter().position(|state| *state == "cancelling").unwrap_or(states.len());
    &states[..end]
}

/// The answer to a second press tells how the order stood then.
fn second_press(status: u64, states: &[&str]) {
    let expected: &[&str] = match status {
        200 => &["confirmed"],
        202 => &["unknown", "cancelling", "placing"],
        _ => &["failed", "cancelled"],
    };
    assert!(expected.iter().any(|it| states.contains(it)), "told {status}: {states:?}");
}

/// What the answers under one key come to, in whatever order they were given.
struct Truth<'a> {
    reservation: Option<&'a str>,
}

impl<'a> Truth<'a> {
    fn of(key: &str, said: &'a [Said]) -> Self {
        let mut reservations = BTreeSet::new();
        let (mut first, mut refused, mut void) = (0, false, false);
        for said in said {
            match said {
                Said::Reserved { reservation, replayed } => {
                    reservations.insert(reservation.as_str());
                    first += u32::from(!replayed);
                }
                Said::OutOfStock { replayed } => {
                    refused = true;
                    first += u32::from(!replayed);
                }
                Said::Settled { state, reservation } => {
                    reservations.extend(reservation.as_deref());
                    refused |= state == "refused";
                    void |= state == "void";
                }
                Said::Problem(kind) => void |= kind == "idempotency-key-void",
            }
        }
        assert!(reservations.len() <= 1, "{key} has more than one reservation: {said:?}");
        assert!(first <= 1, "{key} was decided twice: {said:?}");
        let decisions = u32::from(!reservations.is_empty()) + u32::from(refused) + u32::from(void);
        assert!(decisions <= 1, "{key} was told different decisions: {said:?}");
        Self { reservation: reservations.pop_first() }
    }
}
