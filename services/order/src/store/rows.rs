//! The orders as rows of a file: JSON, because a person may have to read it.

use std::collections::BTreeSet;

use campuscafe_api::order as api;
use campuscafe_cures::decisions::Bounds;
use campuscafe_cures::{IdempotencyKey, OrderId, OrderState, Replica, UnixMillis};
use campuscafe_file_store::json::{Bits, row};
use campuscafe_file_store::{ReadError, Row, Source};
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
pub(super) struct StoredOrder {
    lane: api::Lane,
    history: Vec<(api::OrderState, UnixMillis)>,
    item: Box<str>,
    quantity: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reserved: Option<Bits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<Bits>,
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
    fingerprint: Bits,
    since: UnixMillis,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredIdentity {
    replica: u16,
    secret: Bits,
    starts: u64,
}

/// The rows of what changed.
pub(super) fn changed(orders: &Orders, changes: &Changes) -> Vec<Row> {
    let order =
        |id: &OrderId| row(ORDERS, id.to_string(), orders.get(*id).map(stored_order).as_ref());
    let key = |key: &IdempotencyKey| {
        row(KEYS, key.as_str(), orders.key(key).as_ref().map(stored_key).as_ref())
    };
    changes.orders.iter().map(order).chain(changes.keys.iter().map(key)).collect()
}

pub(super) fn of_identity(identity: Identity) -> Row {
    let Identity { replica: Replica(replica), secret, starts } = identity;
    let stored = StoredIdentity { replica, secret: Bits(secret), starts };
    row(SERVICE, IDENTITY, Some(&stored))
}

/// What the tables hold, but for these orders and their customers' keys, as far as they are
/// still being placed.
pub(super) fn restore(
    source: &impl Source,
    bounds: Bounds,
    without: &BTreeSet<OrderId>,
) -> Result<Restored, RestoreError> {
    let mut identity = None;
    source.visit(SERVICE, |key, value| {
        let StoredIdentity { replica, secret, starts } = read(SERVICE, key, value, Ok)?;
        identity = Some(Identity { replica: Replica(replica), secret: secret.0, starts });
        Ok::<_, RestoreError>(())
    })?;
    let (mut orders, mut keys, mut removals) = (Vec::new(), Vec::new(), Vec::new());
    let mut left_out = BTreeSet::new();
    source.visit(ORDERS, |key, value| {
        let text = String::from_utf8_lossy(key);
        let (id, order) =
            read(ORDERS, key, value, |stored| Ok((order_id(&text)?, order(stored)?)))?;
        if without.contains(&id) && order.state == OrderState::Placing {
            left_out.insert(id);
            removals.push(Row { table: ORDERS, key: key.to_vec(), value: None });
        } else {
            orders.push((id, order));
        }
        Ok::<_, RestoreError>(())
    })?;
    source.visit(KEYS, |key, value| {
        let text = String::from_utf8_lossy(key);
        let (name, placed) = read(KEYS, key, value, |stored: StoredKey| {
            let name = IdempotencyKey::new(&text).map_err(|error| error.to_string())?;
            let (fingerprint, since) = (stored.fingerprint.0, stored.since);
            Ok((name, CustomersKey { fingerprint, order: order_id(&stored.order)?, since }))
        })?;
        if left_out.contains(&placed.order) {
            removals.push(Row { table: KEYS, key: key.to_vec(), value: None });
        } else {
            keys.push((name, placed));
        }
        Ok::<_, RestoreError>(())
    })?;
    Ok(Restored { orders: Orders::restore(bounds, orders, keys), identity, removals })
}

pub(super) fn stored_order(order: &Order) -> StoredOrder {
    StoredOrder {
        lane: order.lane,
        history: order.history.iter().map(|(state, at)| (on_the_wire(*state), *at)).collect(),
        item: order.item.clone(),
        quantity: order.quantity,
        reserved: order.reserved.map(Bits),
        trace: order.trace.map(Bits),
        note: order.note,
        listener: order.listener.as_ref().map(|listener| StoredListener {
            plan: listener.plan.to_string(),
            ended: listener.ended(),
        }),
    }
}

pub(super) fn order(stored: StoredOrder) -> Result<Order, String> {
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
        reserved: stored.reserved.map(|Bits(reserved)| reserved),
        trace: stored.trace.map(|Bits(trace)| trace),
        note: stored.note,
        listener: listener.transpose()?,
    })
}

fn stored_key(placed: &CustomersKey) -> StoredKey {
    let CustomersKey { fingerprint, order, since } = *placed;
    StoredKey { order: order.to_string(), fingerprint: Bits(fingerprint), since }
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
