//! Orders as rows of the database.

use campuscafe_cures::{IdempotencyKey, OrderId, UnixMillis};
use campuscafe_database::{Error, Row, Statement, ToSql, Transaction};
use uuid::Uuid;

use super::super::rows::{order, stored_order};
use super::statements as sql;
use crate::orders::{Changes, CustomersKey, Order, Orders, Question};

/// A row of `id`, `messages_sent` and `document`. None if this program did not write it.
pub(super) fn read(row: &Row) -> Option<(OrderId, Order)> {
    let id = OrderId::try_from(row.get::<_, Uuid>(0)).ok()?;
    let mut order = order(serde_json::from_str(row.get(2)).ok()?).ok()?;
    let sent = usize::try_from(row.get::<_, i64>(1)).unwrap_or_default();
    order.listener = order.listener.map(|listener| Box::new(listener.with_sent(sent)));
    Some((id, order))
}

/// An order, locked if `statement` locks it.
pub(super) async fn find(
    transaction: &Transaction,
    statement: Statement,
    id: OrderId,
) -> Result<Option<(OrderId, Order)>, Error> {
    let row = transaction.query_first(statement, &[&Uuid::from(id)]).await?;
    Ok(row.as_ref().and_then(read))
}

/// Locks a customer's key, and reads what was placed with it.
pub(super) async fn find_key(
    transaction: &Transaction,
    key: &IdempotencyKey,
) -> Result<Option<CustomersKey>, Error> {
    let row = transaction.query_first(sql::KEY, &[&key.as_str()]).await?;
    Ok(row.and_then(|row| {
        let order = OrderId::try_from(row.get::<_, Uuid>(1)).ok()?;
        let fingerprint = row.get::<_, Uuid>(0).as_u128();
        Some(CustomersKey { fingerprint, order, since: unsigned(row.get(2)) })
    }))
}

/// How an order is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Write {
    /// It is new; this process works on it.
    Insert(i64),
    /// It is there; if it has come to another state, this process works on it from now on.
    Update(Option<i64>),
}

pub(super) async fn write(
    transaction: &Transaction,
    id: OrderId,
    order: &Order,
    write: Write,
) -> Result<(), Error> {
    let (statement, owner) = match write {
        Write::Insert(owner) => (sql::INSERT_ORDER, Some(owner)),
        Write::Update(owner) => (sql::UPDATE_ORDER, owner),
    };
    let settles = order.question() == Some(Question::Settle);
    let settling_since = settles.then(|| signed(order.changed_at()));
    let sent = order.listener.as_ref().map_or(0, |listener| listener.sent());
    let sent = i64::try_from(sent).unwrap_or(i64::MAX);
    let document = serde_json::to_string(&stored_order(order)).unwrap_or_default();
    let parameters: [&(dyn ToSql + Sync); 8] = [
        &Uuid::from(id),
        &order.state.as_str(),
        &!order.is_done(),
        &settling_since,
        &sent,
        &signed(order.changed_at()),
        &document,
        &owner,
    ];
    transaction.execute(statement, &parameters).await.map(|_| ())
}

/// Writes the keys that have changed. `is_there` says whether a key has a row.
pub(super) async fn write_keys(
    transaction: &Transaction,
    orders: &Orders,
    changes: &Changes,
    is_there: bool,
) -> Result<(), Error> {
    let statement = if is_there { sql::UPDATE_KEY } else { sql::INSERT_KEY };
    for key in &changes.keys {
        let Some(CustomersKey { fingerprint, order, since }) = orders.key(key) else { continue };
        let (fingerprint, order) = (Uuid::from_u128(fingerprint), Uuid::from(order));
        let parameters: [&(dyn ToSql + Sync); 4] =
            [&key.as_str(), &fingerprint, &order, &signed(since)];
        transaction.execute(statement, &parameters).await?;
    }
    Ok(())
}

pub(super) fn signed(number: UnixMillis) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> UnixMillis {
    u64::try_from(number).unwrap_or_default()
}
