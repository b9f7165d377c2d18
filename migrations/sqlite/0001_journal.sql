-- The record: every event once, chained by hashes. `order_seq` is the seq of the order's
-- order_planned event. There is no index on it: an order's row tells where its events begin and
-- end, and between them there are few others.
CREATE TABLE events (
  seq       INTEGER PRIMARY KEY,
  at        INTEGER NOT NULL,
  kind      TEXT    NOT NULL,
  order_seq INTEGER,
  data      TEXT    NOT NULL,
  prev_hash BLOB    NOT NULL,
  hash      BLOB    NOT NULL
) STRICT;

-- Alerts by number. `identity` is the first eight bytes of `identity_key`, which makes a small
-- index; it is NULL for repeats, which claim no identity. These rows are kept for ever.
CREATE TABLE alerts (
  id           INTEGER PRIMARY KEY,
  seq          INTEGER NOT NULL,
  received_at  INTEGER NOT NULL,
  decided_at INTEGER NOT NULL,
  source       TEXT    NOT NULL,
  strategy     TEXT    NOT NULL,
  symbol       TEXT,
  intent       TEXT    NOT NULL,
  outcome      TEXT    NOT NULL,
  first        INTEGER,
  identity     INTEGER,
  identity_key BLOB    NOT NULL,
  digest       BLOB    NOT NULL
) STRICT;
-- Not a partial index: SQLite would prepare the question anew for each value.
CREATE INDEX alerts_by_identity ON alerts (identity);

-- Orders as they stand. `short_id` is the first eight bytes of `id`; the first five are the number
-- of the alert, so that its index grows at its end and finds an alert's orders too.
CREATE TABLE orders (
  seq           INTEGER PRIMARY KEY,
  last_seq      INTEGER NOT NULL,
  short_id      INTEGER NOT NULL,
  id            BLOB    NOT NULL,
  alert         INTEGER,
  account       TEXT    NOT NULL,
  strategy      TEXT    NOT NULL,
  symbol        TEXT    NOT NULL,
  class         TEXT    NOT NULL,
  side          TEXT    NOT NULL,
  quantity      TEXT    NOT NULL,
  status        TEXT    NOT NULL,
  is_open       INTEGER NOT NULL,
  filled        TEXT    NOT NULL,
  average_price TEXT    NOT NULL,
  fees          TEXT    NOT NULL,
  planned_at    INTEGER NOT NULL,
  sent_at       INTEGER,
  answered_at   INTEGER,
  ended_at      INTEGER,
  attempts      INTEGER NOT NULL,
  reason        TEXT
) STRICT;
CREATE INDEX orders_by_short_id ON orders (short_id);
CREATE INDEX orders_open ON orders (seq) WHERE is_open = 1;

-- The state after an event, so that a start need not replay everything.
CREATE TABLE snapshots (
  seq  INTEGER PRIMARY KEY,
  at   INTEGER NOT NULL,
  hash BLOB    NOT NULL,
  data TEXT    NOT NULL
) STRICT;

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX alerts_by_first ON alerts (first) WHERE first IS NOT NULL;
