-- Each order, from before its first attempt. `document` is the order as JSON; the other columns say who works on
-- it and how it is found. Times are milliseconds since 1970.
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    state text NOT NULL,
    -- Whether somebody must still work on it: `owner` does.
    open boolean NOT NULL,
    owner bigint NOT NULL,
    -- Since when it is unknown, if it can be settled.
    settling_since bigint,
    messages_sent bigint NOT NULL,
    changed_at bigint NOT NULL,
    document jsonb NOT NULL
);
CREATE INDEX orders_by_state ON orders (state, id);
CREATE INDEX orders_by_owner ON orders (owner, id) WHERE open;
CREATE INDEX orders_by_age ON orders (changed_at) WHERE NOT open;

-- The keys that customers brought, and the order that was placed with each.
CREATE TABLE customers_keys (
    key text COLLATE "C" PRIMARY KEY,
    fingerprint uuid NOT NULL,
    placed uuid NOT NULL,
    since bigint NOT NULL
);
CREATE INDEX customers_keys_by_order ON customers_keys (placed);
CREATE INDEX customers_keys_by_age ON customers_keys (since);

-- The processes that work on orders. The orders of one that has not renewed its lease are taken over.
CREATE TABLE processes (
    id bigint PRIMARY KEY,
    leased_until timestamptz NOT NULL
);

-- What every process must agree on.
CREATE TABLE settings (
    name text PRIMARY KEY,
    value text NOT NULL
);
