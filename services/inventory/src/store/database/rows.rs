//! The rows that one operation is about: read into an [`InventoryState`], and what has changed
//! there written back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use campuscafe_cures::decisions::Bounds;
use campuscafe_cures::one_key::OneKey;
use campuscafe_cures::versions::{Version, Versioned};
use campuscafe_cures::{Decision, IdempotencyKey, UnixMillis};
use campuscafe_database::{Error, Row, Transaction};
use tokio::time::Instant;
use uuid::Uuid;

use super::statements as sql;
use crate::history::{CommitKey, HORIZON};
use crate::stock::{InitialStock, ReserveError};
use crate::store::Snapshot;
use crate::store::database::Settings;
use crate::store::keyed::{Fingerprint, Kept};
use crate::store::memory::InventoryState;
use crate::store::reservations::{Made, Under};

/// Items that have no row yet get one, with their initial pieces and the first price.
pub(super) async fn add_items(
    transaction: &Transaction,
    initial: &InitialStock,
) -> Result<(), Error> {
    let first = Versioned::first(crate::price_list::FIRST_PRICE);
    let (price, version) = (signed(first.value), signed(first.version.number()));
    for (item, pieces) in initial.pieces() {
        transaction.execute(sql::ADD_ITEM, &[item, &signed(*pieces)]).await?;
        transaction.execute(sql::ADD_PRICE, &[item, &price, &version]).await?;
    }
    Ok(())
}

/// What all inventories over this stock agree on, from now on.
pub(super) async fn settings(
    transaction: &Transaction,
    horizon: Duration,
    now: UnixMillis,
    secret: Option<u128>,
) -> Result<Settings, Error> {
    // A database that was emptied gets the secret that is in use already.
    let secret = transaction.secret(secret.unwrap_or_else(rand::random)).await?;

    let horizon_ms = u64::try_from(horizon.as_millis()).unwrap_or(u64::MAX);
    let known = transaction.setting(KEY_HORIZON, &horizon_ms.to_string()).await?;
    let expired_until = transaction.setting(EXPIRED_UNTIL, "").await?.parse().ok();
    let known: u64 = known.parse().unwrap_or(horizon_ms);
    // Keys of orders may have been forgotten after a shorter horizon than that of today.
    let forgotten = (known < horizon_ms).then(|| now.saturating_sub(known));
    let expired_until = expired_until.max(forgotten);
    transaction.set_setting(KEY_HORIZON, &horizon_ms.to_string()).await?;
    if let Some(expired_until) = expired_until {
        transaction.set_setting(EXPIRED_UNTIL, &expired_until.to_string()).await?;
    }
    Ok(Settings { secret, expired_until })
}

const KEY_HORIZON: &str = "key_horizon_ms";
const EXPIRED_UNTIL: &str = "expired_until";

/// Removes keys that have expired, and reservations that are too old to be cancelled or to be
/// committed again. Returns whether there may be more of them.
pub(super) async fn forget(
    transaction: &Transaction,
    now: UnixMillis,
    horizon: Duration,
) -> Result<bool, Error> {
    let age = u64::try_from(horizon.max(HORIZON).as_millis()).unwrap_or(u64::MAX);
    let old = signed(now.saturating_sub(age));
    let keys = transaction.execute(sql::FORGET_KEYS, &[&signed(now)]).await?;
    let reservations = transaction.execute(sql::FORGET_RESERVATIONS, &[&old]).await?;
    Ok(keys.max(reservations) >= 1_000)
}

pub(super) async fn is_there(transaction: &Transaction, id: u128) -> Result<bool, Error> {
    Ok(transaction.query_first(sql::IS_THERE, &[&Uuid::from_u128(id)]).await?.is_some())
}

pub(super) async fn count_keys(transaction: &Transaction) -> Result<usize, Error> {
    let row = transaction.query_first(sql::COUNT_KEYS, &[]).await?;
    Ok(row.map_or(0, |row| usize::try_from(row.get::<_, i64>(0)).unwrap_or_default()))
}

pub(super) async fn snapshot(
    transaction: &Transaction,
    initial: &InitialStock,
) -> Result<Snapshot, Error> {
    let rows = transaction.query(sql::STOCK, &[]).await?;
    let rows: Vec<StockRow> = rows.iter().map(StockRow::of).collect();
    let reservations = total(&rows);
    let is_sold = |row: &StockRow| initial.pieces().contains_key(&row.item);
    let left = rows.into_iter().filter(is_sold).map(|row| (row.item, row.pieces)).collect();
    Ok(Snapshot { left, reservations })
}

/// What an operation knows of the database.
pub(super) struct Loaded {
    transaction: Transaction,
    pub(super) state: InventoryState,
    bounds: Bounds,
    now: UnixMillis,
    stock: Vec<StockRow>,
    keys: BTreeSet<IdempotencyKey>,
    /// And whether each was cancelled before.
    reservations: BTreeMap<u128, bool>,
}

struct StockRow {
    item: String,
    pieces: u64,
    reservations: u64,
    resets: u64,
}

impl StockRow {
    fn of(row: &Row) -> Self {
        Self {
            item: row.get(0),
            pieces: unsigned(row.get(1)),
            reservations: unsigned(row.get(2)),
            resets: unsigned(row.get(3)),
        }
    }
}

fn total(rows: &[StockRow]) -> u64 {
    rows.iter().map(|row| row.reservations).sum()
}

impl Loaded {
    pub(super) fn new(
        transaction: Transaction,
        mut state: InventoryState,
        bounds: Bounds,
        now: UnixMillis,
    ) -> Self {
        state.note_touched();
        Self {
            transaction,
            state,
            bounds,
            now,
            stock: Vec::new(),
            keys: BTreeSet::new(),
            reservations: BTreeMap::new(),
        }
    }

    /// Locks a key and reads what was decided under it; tells whether that still counts.
    pub(super) async fn key(&mut self, key: &IdempotencyKey) -> Result<bool, Error> {
        let Some(row) = self.transaction.query_first(sql::KEY, &[&key.as_str()]).await? else {
            return Ok(false);
        };
        self.keys.insert(key.clone());
        self.restore_key(key, &row);
        Ok(self.state.is_decided(key, self.now))
    }

    /// Some keys, by key, after this one.
    pub(super) async fn keys_after(
        &mut self,
        after: Option<&IdempotencyKey>,
        limit: usize,
    ) -> Result<(), Error> {
        let after = after.map_or("", IdempotencyKey::as_str);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.transaction.query(sql::KEYS, &[&after, &signed(self.now), &limit]).await?;
        for row in &rows {
            if let Ok(key) = IdempotencyKey::new(row.get(0)) {
                self.restore_key(&key, row);
            }
        }
        Ok(())
    }

    fn restore_key(&mut self, key: &IdempotencyKey, row: &Row) {
        let fingerprint: Option<Uuid> = row.get(1);
        let since = unsigned(row.get(8));
        let decision = self.decision(row);
        let fingerprint = fingerprint.map(|bits| Fingerprint::from_bits(bits.as_u128()));
        self.state.restore_key(key, fingerprint, decision, since);
    }

    fn decision(&self, row: &Row) -> Decision<Kept, ReserveError> {
        let kept = || {
            let item: Option<String> = row.get(4);
            Kept {
                id: row.get::<_, Option<Uuid>>(3).unwrap_or_default().as_u128(),
                item: self.state.shared_name(&item.unwrap_or_default()),
                quantity: unsigned(row.get::<_, Option<i64>>(5).unwrap_or_default()),
                resets: unsigned(row.get::<_, Option<i64>>(6).unwrap_or_default()),
            }
        };
        match row.get::<_, &str>(2) {
            "reserved" => Decision::Done(kept()),
            "cancelled" => Decision::Cancelled(kept()),
            "not_positive" => Decision::Refused(ReserveError::NotPositive),
            "out_of_stock" => {
                let left = unsigned(row.get::<_, Option<i64>>(7).unwrap_or_default());
                Decision::Refused(ReserveError::OutOfStock { left })
            }
            // No other word is ever written, and nothing can be decided under a void key.
            _ => Decision::Void,
        }
    }

    /// The reservation that a key holds, if it holds one.
    pub(super) fn reserved_under(&self, key: &IdempotencyKey) -> Option<Kept> {
        match &self.state.decisions().get(key)?.decision {
            Decision::Done(kept) => Some(kept.clone()),
            _ => None,
        }
    }

    /// Reads whether a request has committed.
    pub(super) async fn commits(&mut self, request: CommitKey, at: Instant) -> Result<(), Error> {
        let request_bits = Uuid::from_u128(request.bits());
        let rows = self.transaction.query(sql::COMMITTED, &[&request_bits]).await?;
        if let Some(last) = rows.iter().map(|row| unsigned(row.get(0))).max() {
            let age = Duration::from_millis(self.now.saturating_sub(last));
            if age <= HORIZON {
                self.state.restore_commit(request, at);
            }
        }
        Ok(())
    }

    /// The key under which a reservation was made.
    pub(super) async fn key_of(&self, id: u128) -> Result<Option<IdempotencyKey>, Error> {
        let row = self.transaction.query_first(sql::KEY_OF, &[&Uuid::from_u128(id)]).await?;
        let key: Option<String> = row.and_then(|row| row.get(0));
        Ok(key.and_then(|key| IdempotencyKey::new(&key).ok()))
    }

    /// Locks a reservation; its item.
    pub(super) async fn reservation(&mut self, id: u128) -> Result<BTreeSet<String>, Error> {
        let rows = self.transaction.query(sql::RESERVATION, &[&Uuid::from_u128(id)]).await?;
        Ok(self.restore_reservations(&rows))
    }

    /// Locks all reservations that a request has made without a key; their items.
    pub(super) async fn reservations_of(
        &mut self,
        request: CommitKey,
    ) -> Result<BTreeSet<String>, Error> {
        let request = Uuid::from_u128(request.bits());
        let rows = self.transaction.query(sql::RESERVATIONS_OF, &[&request]).await?;
        Ok(self.restore_reservations(&rows))
    }

    fn restore_reservations(&mut self, rows: &[Row]) -> BTreeSet<String> {
        let mut items = BTreeSet::new();
        for (number, row) in (0..).zip(rows) {
            let item: String = row.get(1);
            let kept = Kept {
                id: row.get::<_, Uuid>(0).as_u128(),
                item: self.state.shared_name(&item),
                quantity: unsigned(row.get(2)),
                resets: unsigned(row.get(3)),
            };
            let request = CommitKey::from_bits(row.get::<_, Uuid>(4).as_u128());
            let key: Option<String> = row.get(5);
            let under = key.and_then(|key| IdempotencyKey::new(&key).ok());
            let under = under.map_or(Under::Request(request), Under::Key);
            let cancelled = row.get(6);
            self.reservations.insert(kept.id, cancelled);
            self.state.restore_reservation(Made { kept, under, cancelled, number });
            items.insert(item);
        }
        items
    }

    /// Locks one item. Items that are not sold have no row that counts.
    pub(super) async fn stock_of(&mut self, item: &str) -> Result<(), Error> {
        let rows = self.transaction.query(sql::LOCK_ITEM, &[&item.to_lowercase()]).await?;
        self.restore_stock(&rows);
        Ok(())
    }

    /// Locks the whole stock.
    pub(super) async fn stock(&mut self) -> Result<(), Error> {
        let rows = self.transaction.query(sql::LOCK_STOCK, &[]).await?;
        self.restore_stock(&rows);
        Ok(())
    }

    fn restore_stock(&mut self, rows: &[Row]) {
        self.stock.extend(rows.iter().map(StockRow::of));
        let left = self.stock.iter().map(|row| (row.item.clone(), row.pieces)).collect();
        let resets = self.resets();
        self.state.restore_stock(left, total(&self.stock), resets);
    }

    fn resets(&self) -> u64 {
        self.stock.iter().map(|row| row.resets).max().unwrap_or_default()
    }

    /// Locks a price and reads it.
    pub(super) async fn price(&mut self, item: &str) -> Result<(), Error> {
        let item = item.to_lowercase();
        if let Some(row) = self.transaction.query_first(sql::PRICE, &[&item]).await? {
            let version = Version::of_number(unsigned(row.get(1)));
            self.state.restore_price(&item, Versioned { value: unsigned(row.get(0)), version });
        }
        Ok(())
    }

    /// Writes what has changed. `request` is whose reservation is new, if one is.
    pub(super) async fn save(mut self, request: Option<CommitKey>) -> Result<(), Error> {
        let touched = self.state.take_touched();
        for key in touched.keys.iter().collect::<BTreeSet<_>>() {
            self.save_key(key).await?;
        }
        let mut more = BTreeMap::<String, i64>::new();
        for id in touched.reservations.iter().collect::<BTreeSet<_>>() {
            self.save_reservation(*id, request, &mut more).await?;
        }
        for item in &touched.prices {
            if let Some(priced) = self.state.price(item) {
                let (price, version) = (priced.price.value, priced.price.version.number());
                let parameters: [&(dyn campuscafe_database::ToSql + Sync); 3] =
                    [item, &signed(price), &signed(version)];
                self.transaction.execute(sql::UPDATE_PRICE, &parameters).await?;
            }
        }
        // Last, because everybody waits for these rows.
        let stock = self.state.stock();
        let (resets, is_reset) = (signed(stock.resets()), stock.resets() != self.resets());
        for item in &touched.items.into_iter().collect::<BTreeSet<_>>() {
            let pieces = signed(stock.left_of(item));
            if is_reset {
                self.transaction.execute(sql::RESET_STOCK, &[item, &pieces, &resets]).await?;
            } else {
                let more = more.get(item).copied().unwrap_or_default();
                self.transaction.execute(sql::UPDATE_STOCK, &[item, &pieces, &more]).await?;
            }
        }
        Ok(())
    }

    async fn save_key(&self, key: &IdempotencyKey) -> Result<(), Error> {
        let is_there = self.keys.contains(key);
        let Some(record) = self.state.decisions().get(key) else {
            if is_there {
                self.transaction.execute(sql::DELETE_KEY, &[&key.as_str()]).await?;
            }
            return Ok(());
        };
        let fingerprint = record.fingerprint.map(|it| Uuid::from_u128(it.bits()));
        let (word, kept, left) = match &record.decision {
            Decision::Done(kept) => ("reserved", Some(kept), None),
            Decision::Cancelled(kept) => ("cancelled", Some(kept), None),
            Decision::Refused(ReserveError::NotPositive) => ("not_positive", None, None),
            Decision::Refused(ReserveError::OutOfStock { left }) => {
                ("out_of_stock", None, Some(signed(*left)))
            }
            Decision::Void => ("void", None, None),
        };
        let (id, item) =
            (kept.map(|it| Uuid::from_u128(it.id)), kept.map(|it| it.item.to_string()));
        let quantity = kept.map(|kept| signed(kept.quantity));
        let resets = kept.map(|kept| signed(kept.resets));
        let expires_at = OneKey::admit(key, record.since, self.bounds);
        let expires_at = expires_at.map_or(record.since, |one| one.expires_at());
        let statement = if is_there { sql::UPDATE_KEY } else { sql::INSERT_KEY };
        let (since, expires_at) = (signed(record.since), signed(expires_at));
        self.transaction
            .execute(
                statement,
                &[
                    &key.as_str(),
                    &fingerprint,
                    &word,
                    &id,
                    &item,
                    &quantity,
                    &resets,
                    &left,
                    &since,
                    &expires_at,
                ],
            )
            .await?;
        Ok(())
    }

    /// Notes how many reservations of each item there are more, or fewer.
    async fn save_reservation(
        &self,
        id: u128,
        request: Option<CommitKey>,
        more: &mut BTreeMap<String, i64>,
    ) -> Result<(), Error> {
        let Some(made) = self.state.reservations().get(id) else { return Ok(()) };
        let (bits, more) =
            (Uuid::from_u128(id), more.entry(made.kept.item.to_string()).or_default());
        if let Some(was_cancelled) = self.reservations.get(&id) {
            // A reset has removed it from the stock already.
            let counts = made.kept.resets == self.state.stock().resets();
            *more -= i64::from(made.cancelled && !was_cancelled && counts);
            self.transaction.execute(sql::CANCEL_RESERVATION, &[&bits, &made.cancelled]).await?;
            return Ok(());
        }
        *more += 1;
        let (key, of_request) = match &made.under {
            Under::Key(key) => (Some(key.as_str()), None),
            Under::Request(request) => (None, Some(*request)),
        };
        let request = of_request.or(request).map_or(Uuid::nil(), |it| Uuid::from_u128(it.bits()));
        let (quantity, resets) = (signed(made.kept.quantity), signed(made.kept.resets));
        self.transaction
            .execute(
                sql::INSERT_RESERVATION,
                &[
                    &bits,
                    &&*made.kept.item,
                    &quantity,
                    &resets,
                    &request,
                    &key,
                    &made.cancelled,
                    &signed(self.now),
                ],
            )
            .await?;
        Ok(())
    }
}

/// Numbers of PostgreSQL have a sign. None of ours is as large as that.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
