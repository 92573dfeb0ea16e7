-- closed: ops that the hub will never take and that a person has looked at.
-- They stay in the log with their reason, and are no longer counted as waiting.
CREATE TABLE closed (
  device TEXT    NOT NULL,
  seq    INTEGER NOT NULL,
  by     TEXT    NOT NULL,              -- the clerk
  why    TEXT    NOT NULL,
  at     INTEGER NOT NULL,              -- the hub's time, ms
  PRIMARY KEY (device, seq)
) STRICT, WITHOUT ROWID;

-- The figures of a day long past begin with the bookings that changed since.
CREATE INDEX booking_by_changed ON booking (changed);
