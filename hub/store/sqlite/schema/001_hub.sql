-- The hub of one county, or of a demo. The truth is in op, refused, device,
-- token and secret; booking can be made anew from op.

-- office is one row an office: where its log stands. Whoever writes for an
-- office changes this row in the same transaction, which is what makes its
-- positions gapless and in commit order.
CREATE TABLE office (
  id    TEXT    NOT NULL PRIMARY KEY,   -- as in the reference bundle: covasna
  head  INTEGER NOT NULL DEFAULT 0,     -- last position given
  epoch TEXT    NOT NULL DEFAULT ''     -- names this life of the log; new after a restore
) STRICT, WITHOUT ROWID;

-- device is each author of ops: the office's PCs, and the hub's own pen in
-- each office.
CREATE TABLE device (
  id      TEXT    NOT NULL PRIMARY KEY, -- 16 hexadecimal digits, from the public key
  office  TEXT    NOT NULL REFERENCES office (id),
  kind    TEXT    NOT NULL,             -- pc or hub
  desk    INTEGER NOT NULL,             -- number among the office's PCs, from 1; 0: not a PC
  name    TEXT    NOT NULL,
  pub     BLOB    NOT NULL,             -- Ed25519
  added   INTEGER NOT NULL,             -- ms
  revoked INTEGER NOT NULL,             -- ms; 0: not
  last    INTEGER NOT NULL,             -- last contact in ms; 0: none
  have    INTEGER NOT NULL,             -- up to here its log is held without a gap
  high    INTEGER NOT NULL,             -- highest number of its signed requests
  seen    INTEGER NOT NULL,             -- the 64 numbers up to high that were seen, as bits
  health  TEXT    NOT NULL              -- what it last said of itself, JSON; '': nothing
) STRICT, WITHOUT ROWID;

CREATE INDEX device_by_office ON device (office, added, desk);

-- op is the log, in the order in which the hub took it. Nothing is ever
-- changed here.
CREATE TABLE op (
  device  TEXT    NOT NULL REFERENCES device (id),
  seq     INTEGER NOT NULL,             -- place in the device's own log, from 1
  office  TEXT    NOT NULL,
  pos     INTEGER NOT NULL,             -- place in the office's log, from 1, without gaps
  kind    TEXT    NOT NULL,             -- the cell: kind, entity, field
  entity  TEXT    NOT NULL,
  field   TEXT    NOT NULL,
  eff     INTEGER NOT NULL,             -- effective time: ms * 65536 + count
  clamped INTEGER NOT NULL,             -- 1: the author's own time, kept in raw, lay in the future
  at      INTEGER NOT NULL,             -- ms when it was taken
  raw     BLOB    NOT NULL,             -- as signed, fields of newer programs included
  PRIMARY KEY (device, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX op_by_pos ON op (office, pos);
CREATE INDEX op_by_entity ON op (office, kind, entity, pos);

-- refused keeps what was not taken, so that the author and IT see the same
-- reason for ever. Different bytes under one number are different rows.
CREATE TABLE refused (
  n      INTEGER PRIMARY KEY,
  device TEXT    NOT NULL REFERENCES device (id),
  seq    INTEGER NOT NULL,
  code   TEXT    NOT NULL,              -- refused or clash
  say    TEXT    NOT NULL,
  at     INTEGER NOT NULL,              -- ms
  sum    BLOB    NOT NULL,              -- SHA-256 of the bytes as they came
  raw    BLOB    NOT NULL,              -- the bytes, or the first 64 KiB of them
  UNIQUE (device, seq, sum)
) STRICT;

-- booking is the projection: one row a booking, written anew whenever one of
-- its ops is taken. No truth of its own.
CREATE TABLE booking (
  office  TEXT    NOT NULL,
  id      TEXT    NOT NULL,
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
  words   TEXT    NOT NULL,             -- what search finds it by
  who     TEXT    NOT NULL,             -- folded name and e-mail, for one booking a person (B07)
  PRIMARY KEY (office, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX booking_by_day ON booking (office, day, at, id);
CREATE INDEX booking_by_who ON booking (office, who) WHERE state = 'booked';

-- token is one right to enrol one PC.
CREATE TABLE token (
  hash    BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of the secret; the secret itself is nowhere
  office  TEXT    NOT NULL,
  expires INTEGER NOT NULL,             -- hub ms
  made    INTEGER NOT NULL,
  used_by TEXT    NOT NULL DEFAULT ''   -- the device it let in
) STRICT, WITHOUT ROWID;

-- secret holds the hub's own keys. Whoever reads this file can write for the
-- hub: the data folder is closed to others.
CREATE TABLE secret (
  name  TEXT NOT NULL PRIMARY KEY,      -- ca, pen/covasna, qr/1
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
