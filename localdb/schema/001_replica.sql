-- One office's replica. Everything a clerk is shown can be made anew from the
-- table op; the other tables are a memory of where we stand with the hub, and
-- a projection for lists and search.

-- op is the log: each edit this PC wrote or was sent, for ever immutable but
-- for the three columns the hub decides (eff, pos, verdict).
CREATE TABLE op (
  device  TEXT    NOT NULL,             -- who wrote it: 16 hexadecimal digits
  seq     INTEGER NOT NULL,             -- place in that device's own log, from 1
  kind    TEXT    NOT NULL,             -- the cell: kind, entity, field
  entity  TEXT    NOT NULL,
  field   TEXT    NOT NULL,
  fact    INTEGER NOT NULL,             -- 1: happened, never overwritten; 0: register
  eff     INTEGER NOT NULL,             -- effective time: ms * 65536 + count
  pos     INTEGER,                      -- place in the office's log on the hub; null: not accepted yet
  sealed  INTEGER NOT NULL,             -- 0: stamp still provisional, never sent; 1: raw is what was signed
  verdict TEXT    NOT NULL DEFAULT '',  -- refused or clash: in quarantine, with say as the hub's reason
  say     TEXT    NOT NULL DEFAULT '',
  raw     BLOB    NOT NULL,             -- the op as JSON, fields of newer programs included
  PRIMARY KEY (device, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX op_by_entity ON op (kind, entity);
-- Two ops can never share a position: a hub that says so has been restored or
-- is broken, and must not be believed quietly.
CREATE UNIQUE INDEX op_by_pos ON op (pos) WHERE pos IS NOT NULL;
CREATE INDEX op_refused ON op (verdict) WHERE verdict <> '';
-- The outbox: what the hub has not answered yet.
CREATE INDEX op_unsent ON op (device, seq) WHERE pos IS NULL AND verdict = '';

-- meta holds single values: device, office, epoch, cursor, head, clock, keys.
CREATE TABLE meta (
  key   TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- anchor ties one boot's running time to the hub's time (rule 2 of the clocks
-- in docs/design.md).
CREATE TABLE anchor (
  boot TEXT    NOT NULL PRIMARY KEY,
  up   INTEGER NOT NULL,                -- ms since power-on
  hub  INTEGER NOT NULL,                -- the hub's time in ms at that moment
  wall INTEGER NOT NULL,                -- what the PC's clock showed
  err  INTEGER NOT NULL                 -- uncertainty in ms
) STRICT, WITHOUT ROWID;

-- done remembers which request a page or script has already made, so that a
-- form sent twice acts once.
CREATE TABLE done (
  key    TEXT    NOT NULL PRIMARY KEY,
  action INTEGER NOT NULL,              -- seq of the action's first op
  last   INTEGER NOT NULL               -- seq of its last
) STRICT, WITHOUT ROWID;

-- booking is the projection: one row a booking, written anew whenever one of
-- its ops comes or changes. No truth of its own.
CREATE TABLE booking (
  n       INTEGER PRIMARY KEY,
  id      TEXT    NOT NULL UNIQUE,
  day     INTEGER NOT NULL,             -- days since 1970; 0: not known
  at      INTEGER NOT NULL,             -- minutes since midnight
  name    TEXT    NOT NULL,
  email   TEXT    NOT NULL,
  reason  TEXT    NOT NULL,
  origin  TEXT    NOT NULL,
  state   TEXT    NOT NULL,
  number  TEXT    NOT NULL,             -- registration number of the application
  product TEXT    NOT NULL,
  pickup  TEXT    NOT NULL,
  due     INTEGER NOT NULL,
  person  INTEGER NOT NULL,             -- 1: something waits for a person
  changed INTEGER NOT NULL,             -- effective ms of its latest fact
  words   TEXT    NOT NULL              -- what search finds it by
) STRICT;

CREATE INDEX booking_by_day    ON booking (day, at, id);
CREATE INDEX booking_by_state  ON booking (state, day);
CREATE INDEX booking_by_number ON booking (number) WHERE number <> '';
CREATE INDEX booking_person    ON booking (person) WHERE person = 1;

-- Search folds diacritics (comma and cedilla alike) and finds by two letters.
CREATE VIRTUAL TABLE booking_fts USING fts5 (
  words,
  content = '',
  contentless_delete = 1,
  tokenize = 'unicode61 remove_diacritics 2',
  prefix = '2 3'
);
