//! The statements that the order service sends to its database.

use campuscafe_database::Statement;

pub(super) const INSERT_ORDER: Statement = Statement::new(
    "INSERT orders",
    "INSERT INTO orders (id, state, open, settling_since, messages_sent, changed_at, document, owner)
     VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb, $8)",
);
/// Without an owner it keeps the one that it has.
pub(super) const UPDATE_ORDER: Statement = Statement::new(
    "UPDATE orders",
    "UPDATE orders SET state = $2, open = $3, settling_since = $4, messages_sent = $5,
                       changed_at = $6, document = $7::text::jsonb, owner = coalesce($8, owner)
     WHERE id = $1",
);
pub(super) const ORDER: Statement = Statement::new(
    "SELECT orders",
    "SELECT id, messages_sent, document::text FROM orders WHERE id = $1",
);
pub(super) const LOCK_ORDER: Statement = Statement::new(
    "SELECT orders FOR UPDATE",
    "SELECT id, messages_sent, document::text FROM orders WHERE id = $1 FOR UPDATE",
);
pub(super) const ORDERS: Statement = Statement::new(
    "SELECT orders",
    "SELECT id, messages_sent, document::text FROM orders WHERE id > $1 ORDER BY id LIMIT $2",
);
pub(super) const ORDERS_IN_STATE: Statement = Statement::new(
    "SELECT orders",
    "SELECT id, messages_sent, document::text FROM orders
     WHERE state = $3 AND id > $1 ORDER BY id LIMIT $2",
);
pub(super) const DELETE_UNSENT_ORDER: Statement =
    Statement::new("DELETE orders", "DELETE FROM orders WHERE id = $1 AND state = 'placing'");
pub(super) const UNKNOWN: Statement = Statement::new(
    "SELECT orders",
    "SELECT count(*), min(settling_since) FROM orders
     WHERE open AND owner = $1 AND settling_since IS NOT NULL",
);
pub(super) const FORGET_ORDERS: Statement = Statement::new(
    "DELETE orders",
    "DELETE FROM orders
     WHERE id IN (SELECT id FROM orders WHERE NOT open AND changed_at <= $1 LIMIT 1000)",
);

pub(super) const KEY: Statement = Statement::new(
    "SELECT customers_keys FOR UPDATE",
    "SELECT fingerprint, placed, since FROM customers_keys WHERE key = $1 FOR UPDATE",
);
pub(super) const INSERT_KEY: Statement = Statement::new(
    "INSERT customers_keys",
    "INSERT INTO customers_keys (key, fingerprint, placed, since) VALUES ($1, $2, $3, $4)",
);
pub(super) const UPDATE_KEY: Statement = Statement::new(
    "UPDATE customers_keys",
    "UPDATE customers_keys SET fingerprint = $2, placed = $3, since = $4 WHERE key = $1",
);
pub(super) const DELETE_KEYS_OF: Statement =
    Statement::new("DELETE customers_keys", "DELETE FROM customers_keys WHERE placed = $1");
pub(super) const FORGET_KEYS: Statement = Statement::new(
    "DELETE customers_keys",
    "DELETE FROM customers_keys
     WHERE key IN (SELECT key FROM customers_keys WHERE since <= $1 LIMIT 1000)",
);

/// By the clock of the database, because those of the machines may differ.
pub(super) const RENEW_LEASE: Statement = Statement::new(
    "INSERT processes",
    "INSERT INTO processes (id, leased_until) VALUES ($1, now() + interval '3 seconds')
     ON CONFLICT (id) DO UPDATE SET leased_until = excluded.leased_until",
);
pub(super) const END_LEASE: Statement =
    Statement::new("DELETE processes", "DELETE FROM processes WHERE id = $1");
pub(super) const FORGET_PROCESSES: Statement = Statement::new(
    "DELETE processes",
    "DELETE FROM processes WHERE leased_until < now() - interval '1 hour'",
);
pub(super) const LEFT_BEHIND: Statement = Statement::new(
    "SELECT orders",
    "SELECT id, owner FROM orders
     WHERE open AND owner NOT IN (SELECT id FROM processes WHERE leased_until > now())
     ORDER BY id LIMIT 100",
);
/// Of two that want to take an order over, one finds its owner changed.
pub(super) const TAKE_OVER: Statement = Statement::new(
    "UPDATE orders",
    "UPDATE orders SET owner = $3, messages_sent = 0 WHERE id = $1 AND owner = $2
     RETURNING id, messages_sent, document::text",
);
