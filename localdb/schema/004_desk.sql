-- tries counts wrong PINs, so that guessing does not begin anew with the
-- service. When the last one was stands by the PC's running time: its clock can
-- be moved, this cannot.
CREATE TABLE tries (
  who  TEXT    NOT NULL PRIMARY KEY,    -- whose count it is, as agent/clerk names it
  n    INTEGER NOT NULL,                -- wrong ones in a row
  boot TEXT    NOT NULL,                -- run of the PC
  up   INTEGER NOT NULL                 -- ms since power-on
) STRICT, WITHOUT ROWID;

-- pin holds the PINs that clerks have chosen on this PC: never the PIN, only
-- what it can be told by.
CREATE TABLE pin (
  who      TEXT NOT NULL PRIMARY KEY,   -- the clerk
  replaces TEXT NOT NULL,               -- names the verifier from the centre that it stands for
  verifier TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- trace is what was done at this PC beside the bookings: who came and went,
-- what was guessed, what was printed. It stays here and is sent nowhere.
CREATE TABLE trace (
  n     INTEGER PRIMARY KEY,
  at    INTEGER NOT NULL,               -- ms, the hub's time as well as it was known
  what  TEXT    NOT NULL,               -- kind, such as signed-in
  by    TEXT    NOT NULL,               -- who did it; '' where that is not known
  about TEXT    NOT NULL                -- whom or what it is about; '' for nothing else
) STRICT;

CREATE INDEX trace_by_time ON trace (at);
