//! The orders as rows of a file: JSON, because a person may have to read it.

use std::collections::BTreeSet;

use campuscafe_api::order as api;
use campuscafe_cures::decisions::Bounds;
use campuscafe_cures::{IdempotencyKey, OrderId, OrderState, Replica, UnixMillis};
use campuscafe_file_store::{ReadError, Row, Rows};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::orders::{Changes, CustomersKey, Listener, Note, Order, Orders, on_the_wire};

/// The format of the rows. Whoever changes them changes this.
pub(super) const FORMAT: u32 = 1;

const ORDERS: &str = "orders";
const KEYS: &str = "customers_keys";
const SERVICE: &str = "service";
/// The key of the only row of [`SERVICE`].
const IDENTITY: &[u8] = b"identity";

/// What stays the same over a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    /// In the ids of the orders that this service takes.
    pub(super) replica: Replica,
    /// Of the fingerprints.
    pub(super) secret: u128,
    /// How often a process has started with this file.
    pub(super) starts: u64,
}

/// Why the rows of a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RestoreError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A row is not what this program writes.
    #[error(
        "the file of the orders is damaged: table {table}, row {row}: {reason}; name another directory"
    )]
    Row {
        /// In which table.
        table: &'static str,
        /// Its key.
        row: String,
        /// What is wrong.
        reason: String,
    },
}

/// What a file holds.
pub(super) struct Restored {
    pub(super) orders: Orders,
    /// None in a new file.
    pub(super) identity: Option<Identity>,
    /// Removes what was left out.
    pub(super) removals: Vec<Row>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredOrder {
    lane: api::Lane,
    history: Vec<(api::OrderState, UnixMillis)>,
    item: Box<str>,
    quantity: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reserved: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<Note>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listener: Option<StoredListener>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredListener {
    plan: String,
    ended: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredKey {
    order: String,
    fingerprint: String,
    since: UnixMillis,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredIdentity {
    replica: u16,
    secret: String,
    starts: u64,
}

/// The rows of what changed.
pub(super) fn changed(orders: &Orders, changes: &Changes) -> Vec<Row> {
    let order = |id: &OrderId| row(ORDERS, id.to_string(), orders.get(*id).map(stored_order));
    let key = |key: &IdempotencyKey| {
        row(KEYS, key.as_str().to_owned(), orders.key(key).as_ref().map(stored_key))
    };
    changes.orders.iter().map(order).chain(changes.keys.iter().map(key)).collect()
}

pub(super) fn of_identity(identity: Identity) -> Row {
    let Identity { replica: Replica(replica), secret, starts } = identity;
    let stored = StoredIdentity { replica, secret: hexadecimal(secret), starts };
    Row { table: SERVICE, key: IDENTITY.to_vec(), value: Some(json(&stored)) }
}

/// What the tables hold, but for these orders and their customers' keys, as far as they are
/// still being placed.
pub(super) fn restore(
    rows: impl Fn(&'static str) -> Result<Rows, ReadError>,
    bounds: Bounds,
    without: &BTreeSet<OrderId>,
) -> Result<Restored, RestoreError> {
    let mut identity = None;
    for (key, value) in rows(SERVICE)? {
        identity = Some(read(SERVICE, &key, &value, |stored: StoredIdentity| {
            let secret = number(&stored.secret)?;
            Ok(Identity { replica: Replica(stored.replica), secret, starts: stored.starts })
        })?);
    }
    let (mut orders, mut keys, mut removals) = (Vec::new(), Vec::new(), Vec::new());
    let mut left_out = BTreeSet::new();
    for (key, value) in rows(ORDERS)? {
        let text = String::from_utf8_lossy(&key);
        let (id, order) =
            read(ORDERS, &key, &value, |stored| Ok((order_id(&text)?, order(stored)?)))?;
        if without.contains(&id) && order.state == OrderState::Placing {
            left_out.insert(id);
            removals.push(Row { table: ORDERS, key, value: None });
        } else {
            orders.push((id, order));
        }
    }
    for (key, value) in rows(KEYS)? {
        let text = String::from_utf8_lossy(&key);
        let (name, placed) = read(KEYS, &key, &value, |stored: StoredKey| {
            let name = IdempotencyKey::new(&text).map_err(|error| error.to_string())?;
            let (order, since) = (order_id(&stored.order)?, stored.since);
            Ok((name, CustomersKey { fingerprint: number(&stored.fingerprint)?, order, since }))
        })?;
        if left_out.contains(&placed.order) {
            removals.push(Row { table: KEYS, key, value: None });
        } else {
            keys.push((name, placed));
        }
    }
    Ok(Restored { orders: Orders::restore(bounds, orders, keys), identity, removals })
}

fn stored_order(order: &Order) -> StoredOrder {
    StoredOrder {
        lane: order.lane,
        history: order.history.iter().map(|(state, at)| (on_the_wire(*state), *at)).collect(),
        item: order.item.clone(),
        quantity: order.quantity,
        reserved: order.reserved.map(hexadecimal),
        trace: order.trace.map(hexadecimal),
        note: order.note,
        listener: order.listener.as_ref().map(|listener| StoredListener {
            plan: listener.plan.to_string(),
            ended: listener.ended(),
        }),
    }
}

fn order(stored: StoredOrder) -> Result<Order, String> {
    let state = |wire: &api::OrderState| {
        let same = |state: &OrderState| on_the_wire(*state) == *wire;
        OrderState::ALL.into_iter().find(same).ok_or("a state that no order has")
    };
    let history: Result<Vec<_>, _> =
        stored.history.iter().map(|(wire, at)| Ok::<_, &str>((state(wire)?, *at))).collect();
    let history = history?;
    let listener = stored.listener.map(|StoredListener { plan, ended }| {
        let plan = plan.parse().map_err(|error| format!("plan: {error}"))?;
        Ok::<_, String>(Box::new(Listener::new(plan, ended)))
    });
    Ok(Order {
        lane: stored.lane,
        state: history.last().ok_or("expected a history")?.0,
        history,
        item: stored.item,
        quantity: stored.quantity,
        reserved: stored.reserved.as_deref().map(number).transpose()?,
        trace: stored.trace.as_deref().map(number).transpose()?,
        note: stored.note,
        listener: listener.transpose()?,
    })
}

fn stored_key(placed: &CustomersKey) -> StoredKey {
    let CustomersKey { fingerprint, order, since } = *placed;
    StoredKey { order: order.to_string(), fingerprint: hexadecimal(fingerprint), since }
}

fn row<T: Serialize>(table: &'static str, key: String, value: Option<T>) -> Row {
    Row { table, key: key.into_bytes(), value: value.as_ref().map(json) }
}

/// No value here has a map whose keys are no texts, so it always can be written.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn read<S: DeserializeOwned, T>(
    table: &'static str,
    key: &[u8],
    value: &[u8],
    make: impl FnOnce(S) -> Result<T, String>,
) -> Result<T, RestoreError> {
    let stored = serde_json::from_slice(value).map_err(|error| error.to_string());
    stored.and_then(make).map_err(|reason| {
        let row = String::from_utf8_lossy(key).into_owned();
        RestoreError::Row { table, row, reason }
    })
}

fn order_id(text: &str) -> Result<OrderId, String> {
    text.parse().map_err(|error| format!("{error}"))
}

fn hexadecimal(number: u128) -> String {
    format!("{number:032x}")
}

fn number(text: &str) -> Result<u128, String> {
    u128::from_str_radix(text, 16).map_err(|error| format!("{text}: {error}"))
}
