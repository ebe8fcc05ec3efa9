//! The statements that the inventory sends to its database.

use campuscafe_database::Statement;

pub(super) const ADD_ITEM: Statement = Statement::new(
    "INSERT stock",
    "INSERT INTO stock (item, pieces, reservations, resets)
     VALUES ($1, $2, 0, coalesce((SELECT max(resets) FROM stock), 0))
     ON CONFLICT (item) DO NOTHING",
);
pub(super) const ADD_PRICE: Statement = Statement::new(
    "INSERT prices",
    "INSERT INTO prices (item, price, version) VALUES ($1, $2, $3) ON CONFLICT (item) DO NOTHING",
);
pub(super) const FORGET_KEYS: Statement = Statement::new(
    "DELETE keys",
    "DELETE FROM keys WHERE key IN (SELECT key FROM keys WHERE expires_at <= $1 LIMIT 1000)",
);
pub(super) const FORGET_RESERVATIONS: Statement = Statement::new(
    "DELETE reservations",
    "DELETE FROM reservations
     WHERE id IN (SELECT id FROM reservations WHERE made_at <= $1 LIMIT 1000)",
);
pub(super) const STOCK: Statement =
    Statement::new("SELECT stock", "SELECT item, pieces, reservations, resets FROM stock");
pub(super) const LOCK_STOCK: Statement = Statement::new(
    "SELECT stock FOR UPDATE",
    "SELECT item, pieces, reservations, resets FROM stock ORDER BY item FOR UPDATE",
);
pub(super) const LOCK_ITEM: Statement = Statement::new(
    "SELECT stock FOR UPDATE",
    "SELECT item, pieces, reservations, resets FROM stock WHERE item = $1 FOR UPDATE",
);
pub(super) const UPDATE_STOCK: Statement = Statement::new(
    "UPDATE stock",
    "UPDATE stock SET pieces = $2, reservations = reservations + $3 WHERE item = $1",
);
pub(super) const RESET_STOCK: Statement = Statement::new(
    "UPDATE stock",
    "UPDATE stock SET pieces = $2, reservations = 0, resets = $3 WHERE item = $1",
);
pub(super) const PRICE: Statement = Statement::new(
    "SELECT prices FOR UPDATE",
    "SELECT price, version FROM prices WHERE item = $1 FOR UPDATE",
);
pub(super) const UPDATE_PRICE: Statement =
    Statement::new("UPDATE prices", "UPDATE prices SET price = $2, version = $3 WHERE item = $1");
pub(super) const KEY: Statement = Statement::new(
    "SELECT keys FOR UPDATE",
    "SELECT key, fingerprint, decision, reservation, item, quantity, resets, pieces_left, since
     FROM keys WHERE key = $1 FOR UPDATE",
);
pub(super) const KEYS: Statement = Statement::new(
    "SELECT keys",
    "SELECT key, fingerprint, decision, reservation, item, quantity, resets, pieces_left, since
     FROM keys WHERE key > $1 AND expires_at > $2 ORDER BY key LIMIT $3",
);
/// Up to a bound, because it is asked every second.
pub(super) const COUNT_KEYS: Statement = Statement::new(
    "SELECT keys",
    "SELECT count(*) FROM (SELECT 1 FROM keys LIMIT 200000) AS counted",
);
pub(super) const INSERT_KEY: Statement = Statement::new(
    "INSERT keys",
    "INSERT INTO keys (key, fingerprint, decision, reservation, item, quantity, resets,
                       pieces_left, since, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
);
pub(super) const UPDATE_KEY: Statement = Statement::new(
    "UPDATE keys",
    "UPDATE keys SET fingerprint = $2, decision = $3, reservation = $4, item = $5, quantity = $6,
                     resets = $7, pieces_left = $8, since = $9, expires_at = $10
     WHERE key = $1",
);
pub(super) const DELETE_KEY: Statement =
    Statement::new("DELETE keys", "DELETE FROM keys WHERE key = $1");
pub(super) const COMMITTED: Statement = Statement::new(
    "SELECT reservations",
    // Without an order: for that, a plan could read the reservations by their age.
    "SELECT made_at FROM reservations WHERE request = $1",
);
pub(super) const IS_THERE: Statement =
    Statement::new("SELECT reservations", "SELECT 1 FROM reservations WHERE id = $1");
pub(super) const KEY_OF: Statement =
    Statement::new("SELECT reservations", "SELECT key FROM reservations WHERE id = $1");
pub(super) const RESERVATION: Statement = Statement::new(
    "SELECT reservations FOR UPDATE",
    "SELECT id, item, quantity, resets, request, key, cancelled FROM reservations
     WHERE id = $1 FOR UPDATE",
);
pub(super) const RESERVATIONS_OF: Statement = Statement::new(
    "SELECT reservations FOR UPDATE",
    "SELECT id, item, quantity, resets, request, key, cancelled FROM reservations
     WHERE request = $1 AND key IS NULL ORDER BY made_at, id FOR UPDATE",
);
pub(super) const INSERT_RESERVATION: Statement = Statement::new(
    "INSERT reservations",
    "INSERT INTO reservations (id, item, quantity, resets, request, key, cancelled, made_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
);
pub(super) const CANCEL_RESERVATION: Statement =
    Statement::new("UPDATE reservations", "UPDATE reservations SET cancelled = $2 WHERE id = $1");
