-- The stock. The sum of `reservations` counts those since the last reset; `resets` is the same in every row.
CREATE TABLE stock (
    item text PRIMARY KEY,
    pieces bigint NOT NULL CHECK (pieces >= 0),
    reservations bigint NOT NULL,
    resets bigint NOT NULL
);

CREATE TABLE prices (
    item text PRIMARY KEY,
    price bigint NOT NULL,
    version bigint NOT NULL
);

-- What was decided under each idempotency key. Times are milliseconds since 1970.
CREATE TABLE keys (
    key text COLLATE "C" PRIMARY KEY,
    fingerprint uuid,
    decision text NOT NULL,
    reservation uuid,
    item text,
    quantity bigint,
    resets bigint,
    pieces_left bigint,
    since bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX keys_by_expiry ON keys (expires_at);

-- `request` is a hash of the X-Request-Id; two rows with the same one are a duplicate.
CREATE TABLE reservations (
    id uuid PRIMARY KEY,
    item text NOT NULL,
    quantity bigint NOT NULL,
    resets bigint NOT NULL,
    request uuid NOT NULL,
    key text COLLATE "C",
    cancelled boolean NOT NULL,
    made_at bigint NOT NULL
);
CREATE INDEX reservations_by_request ON reservations (request);
CREATE INDEX reservations_by_age ON reservations (made_at);

-- What every inventory over this stock must agree on.
CREATE TABLE settings (
    name text PRIMARY KEY,
    value text NOT NULL
);
