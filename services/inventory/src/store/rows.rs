//! The stock in a file: what is a row, and how it is read again.
//!
//! A row is JSON, so that a person can read it. A field that this program does not know is an
//! error, not a loss: such a file is of a newer program.

use std::collections::BTreeMap;
use std::time::Duration;

use campuscafe_cures::decisions::Bounds;
use campuscafe_cures::versions::{Version, Versioned};
use campuscafe_cures::{Decision, IdempotencyKey, UnixMillis};
use campuscafe_file_store::json::{Bits, row};
use campuscafe_file_store::{OpenError, ReadError, Row, Source};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::keyed::{Fingerprint, Kept};
use super::memory::InventoryState;
use super::reservations::{Made, Under};
use crate::history::CommitKey;
use crate::stock::{InitialStock, ReserveError};

/// Raised whenever a row changes its form.
pub(super) const FORMAT: u32 = 1;

const STOCK: &str = "stock";
const COUNTERS: &str = "counters";
const PRICES: &str = "prices";
const KEYS: &str = "keys";
const RESERVATIONS: &str = "reservations";
const COMMITS: &str = "commits";
const SETTINGS: &str = "settings";

/// The only key in [`COUNTERS`] and in [`SETTINGS`].
const ONLY: &[u8] = b"all";

/// Why the stock cannot be read from its file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("{0}")]
    Open(#[from] OpenError),
    #[error("{0}")]
    Read(#[from] ReadError),
    #[error(
        "the file of the stock has a row that this program cannot read ({table}: {reason}); name another directory"
    )]
    Row { table: &'static str, reason: String },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StockRow {
    left: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CountersRow {
    reservations: u64,
    resets: u64,
    /// The latest time by which keys were forgotten.
    forgotten_until: UnixMillis,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceRow {
    price: u64,
    version: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyRow {
    fingerprint: Option<Bits>,
    decision: DecisionRow,
    since: UnixMillis,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum DecisionRow {
    Reserved(KeptRow),
    NotPositive,
    OutOfStock { left: u64 },
    Cancelled(KeptRow),
    Void,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptRow {
    id: Bits,
    item: String,
    quantity: u64,
    resets: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReservationRow {
    reserved: KeptRow,
    under: UnderRow,
    cancelled: bool,
    number: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum UnderRow {
    Key(String),
    Request(Bits),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommitRow {
    at: UnixMillis,
}

/// What must not change while there is a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsRow {
    /// Request ids become hashes with it.
    secret: Bits,
    key_horizon_ms: u64,
    /// Keys of orders that were taken until then may have been forgotten after a horizon that
    /// was shorter than the one of today.
    expired_until: Option<UnixMillis>,
}

impl From<&Kept> for KeptRow {
    fn from(Kept { id, item, quantity, resets }: &Kept) -> Self {
        Self { id: Bits(*id), item: item.to_string(), quantity: *quantity, resets: *resets }
    }
}

impl From<&Decision<Kept, ReserveError>> for DecisionRow {
    fn from(decision: &Decision<Kept, ReserveError>) -> Self {
        match decision {
            Decision::Done(kept) => Self::Reserved(kept.into()),
            Decision::Refused(ReserveError::NotPositive) => Self::NotPositive,
            Decision::Refused(ReserveError::OutOfStock { left }) => {
                Self::OutOfStock { left: *left }
            }
            Decision::Cancelled(kept) => Self::Cancelled(kept.into()),
            Decision::Void => Self::Void,
        }
    }
}

/// Names are shared by all that is kept: see [`InventoryState::shared_name`].
fn kept(KeptRow { id, item, quantity, resets }: KeptRow, state: &InventoryState) -> Kept {
    Kept { id: id.0, item: state.shared_name(&item), quantity, resets }
}

fn decision(row: DecisionRow, state: &InventoryState) -> Decision<Kept, ReserveError> {
    match row {
        DecisionRow::Reserved(row) => Decision::Done(kept(row, state)),
        DecisionRow::NotPositive => Decision::Refused(ReserveError::NotPositive),
        DecisionRow::OutOfStock { left } => Decision::Refused(ReserveError::OutOfStock { left }),
        DecisionRow::Cancelled(row) => Decision::Cancelled(kept(row, state)),
        DecisionRow::Void => Decision::Void,
    }
}

/// The rows of all that has changed since the last call. A key may be there twice; the row is
/// that of its last value both times.
pub(super) fn changed(state: &mut InventoryState, now: UnixMillis) -> Vec<Row> {
    let touched = state.take_touched();
    let mut rows = Vec::new();
    for item in &touched.items {
        let left = state.stock().left().get(item).map(|left| StockRow { left: *left });
        rows.push(row(STOCK, item.as_str(), left.as_ref()));
    }
    let mut forgotten = false;
    for key in &touched.keys {
        let record = state.decisions().get(key).map(|record| KeyRow {
            fingerprint: record.fingerprint.map(|it| Bits(it.bits())),
            decision: (&record.decision).into(),
            since: record.since,
        });
        forgotten |= record.is_none();
        rows.push(row(KEYS, key.as_str(), record.as_ref()));
    }
    if forgotten || !touched.items.is_empty() {
        let counters = CountersRow {
            reservations: state.stock().reservations(),
            resets: state.stock().resets(),
            forgotten_until: state.decisions().now(),
        };
        rows.push(row(COUNTERS, ONLY, Some(&counters)));
    }
    for item in &touched.prices {
        let price = state.price(item).map(|priced| PriceRow {
            price: priced.price.value,
            version: priced.price.version.number(),
        });
        rows.push(row(PRICES, item.as_str(), price.as_ref()));
    }
    for id in &touched.reservations {
        let made = state.reservations().get(*id).map(|made| ReservationRow {
            reserved: (&made.kept).into(),
            under: match &made.under {
                Under::Key(key) => UnderRow::Key(key.to_string()),
                Under::Request(request) => UnderRow::Request(Bits(request.bits())),
            },
            cancelled: made.cancelled,
            number: made.number,
        });
        rows.push(row(RESERVATIONS, id.to_be_bytes(), made.as_ref()));
    }
    for key in &touched.commits {
        let known = state.commits().is_known(*key).then_some(CommitRow { at: now });
        rows.push(row(COMMITS, key.bits().to_be_bytes(), known.as_ref()));
    }
    rows
}

/// What a file says at the start.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) state: InventoryState,
    pub(super) secret: u128,
    /// Items of the file that the initial stock does not name any more.
    pub(super) unknown_items: Vec<String>,
    /// Whether the file had rows.
    pub(super) is_new: bool,
    /// What is to be written now: settings that are new, and what has expired meanwhile.
    pub(super) rows: Vec<Row>,
}

/// Reads the stock from its file. An item that is not in the file has its initial pieces;
/// one that the initial stock does not name is left out.
pub(super) fn load(
    source: &impl Source,
    initial: &InitialStock,
    bounds: Bounds,
    now: UnixMillis,
    secret: u128,
) -> Result<Loaded, LoadError> {
    let mut state = InventoryState::new(initial.clone(), bounds);
    let (mut left, mut unknown_items) = (BTreeMap::new(), Vec::new());
    for (item, StockRow { left: pieces }) in table::<StockRow>(source, STOCK)? {
        let item = text(STOCK, item)?;
        if initial.pieces().contains_key(&item) {
            left.insert(item, pieces);
        } else {
            unknown_items.push(item);
        }
    }
    let counters = table::<CountersRow>(source, COUNTERS)?.pop().map(|(_, counters)| counters);
    let (is_new, counters) = (counters.is_none(), counters.unwrap_or_default());
    state.restore_stock(left, counters.reservations, counters.resets);
    for (item, PriceRow { price, version }) in table::<PriceRow>(source, PRICES)? {
        let price = Versioned { value: price, version: Version::of_number(version) };
        state.restore_price(&text(PRICES, item)?, price);
    }
    let mut reservations = table::<ReservationRow>(source, RESERVATIONS)?;
    reservations.sort_by_key(|(_, made)| made.number);
    for (id, made) in reservations {
        let ReservationRow { reserved, under, cancelled, number } = made;
        let kept = kept(reserved, &state);
        if id != kept.id.to_be_bytes() {
            let reason = "its key and its value name different reservations".to_owned();
            return Err(LoadError::Row { table: RESERVATIONS, reason });
        }
        let under = match under {
            UnderRow::Key(key) => Under::Key(idempotency_key(RESERVATIONS, &key)?),
            UnderRow::Request(request) => Under::Request(CommitKey::from_bits(request.0)),
        };
        state.restore_reservation(Made { kept, under, cancelled, number });
    }
    let mut commits = Vec::new();
    for (key, CommitRow { at }) in table::<CommitRow>(source, COMMITS)? {
        let bits: [u8; 16] = key.try_into().map_err(|key: Vec<u8>| LoadError::Row {
            table: COMMITS,
            reason: format!("expected a key of 16 bytes, got {}", key.len()),
        })?;
        commits.push((at, CommitKey::from_bits(u128::from_be_bytes(bits))));
    }
    restore_commits(&mut state, commits, now);
    // The largest table: its rows are not in memory beside the values.
    source.visit(KEYS, |key, value| {
        let KeyRow { fingerprint, decision: decided, since } = read(KEYS, value)?;
        let key = idempotency_key(KEYS, &text(KEYS, key.to_vec())?)?;
        let decided = decision(decided, &state);
        let fingerprint = fingerprint.map(|bits| Fingerprint::from_bits(bits.0));
        state.restore_key(&key, fingerprint, decided, since);
        Ok::<_, LoadError>(())
    })?;
    let known = table::<SettingsRow>(source, SETTINGS)?.pop().map(|(_, settings)| settings);
    let settings = settings(known.as_ref(), bounds.horizon, now, secret);
    state.restore_times(counters.forgotten_until, settings.expired_until);
    let rows = vec![row(SETTINGS, ONLY, Some(&settings))];
    Ok(Loaded { state, secret: settings.secret.0, unknown_items, is_new, rows })
}

/// The settings of the file from now on.
fn settings(
    known: Option<&SettingsRow>,
    horizon: Duration,
    now: UnixMillis,
    secret: u128,
) -> SettingsRow {
    let horizon_ms = u64::try_from(horizon.as_millis()).unwrap_or(u64::MAX);
    let Some(known) = known.cloned() else {
        return SettingsRow {
            secret: Bits(secret),
            key_horizon_ms: horizon_ms,
            expired_until: None,
        };
    };
    let expired_until = if known.key_horizon_ms < horizon_ms {
        known.expired_until.max(Some(now.saturating_sub(known.key_horizon_ms)))
    } else {
        known.expired_until
    };
    SettingsRow { key_horizon_ms: horizon_ms, expired_until, ..known }
}

/// In the order in which they were made, so that the oldest are forgotten first.
fn restore_commits(
    state: &mut InventoryState,
    mut commits: Vec<(UnixMillis, CommitKey)>,
    now: UnixMillis,
) {
    commits.sort_unstable();
    let here = Instant::now();
    for (at, key) in commits {
        let age = Duration::from_millis(now.saturating_sub(at));
        // A clock that began with this process knows no time before it.
        state.restore_commit(key, here.checked_sub(age).unwrap_or(here));
    }
}

fn table<T: DeserializeOwned>(
    source: &impl Source,
    table: &'static str,
) -> Result<Vec<(Vec<u8>, T)>, LoadError> {
    let mut rows = Vec::new();
    source.visit(table, |key, value| {
        rows.push((key.to_vec(), read(table, value)?));
        Ok::<_, LoadError>(())
    })?;
    Ok(rows)
}

fn read<T: DeserializeOwned>(table: &'static str, value: &[u8]) -> Result<T, LoadError> {
    serde_json::from_slice(value)
        .map_err(|error| LoadError::Row { table, reason: error.to_string() })
}

fn text(table: &'static str, key: Vec<u8>) -> Result<String, LoadError> {
    String::from_utf8(key)
        .map_err(|_| LoadError::Row { table, reason: "a key is not UTF-8".to_owned() })
}

fn idempotency_key(table: &'static str, text: &str) -> Result<IdempotencyKey, LoadError> {
    IdempotencyKey::new(text).map_err(|error| LoadError::Row { table, reason: error.to_string() })
}
