-- settings keeps the signed bundles from the centre as they came: the one in
-- force, and the one that is to follow it. What they say, and whether they are
-- to be trusted, is not looked at here.
CREATE TABLE settings (
  role   TEXT    NOT NULL PRIMARY KEY,  -- proven: the last that was proven; candidate: received, not proven yet; refused: the last that was not taken
  number INTEGER NOT NULL,              -- as the hub lists it
  box    TEXT    NOT NULL,              -- signed; '' once refused
  tries  INTEGER NOT NULL DEFAULT 0,    -- how often it was put in force to be proven
  code   TEXT    NOT NULL DEFAULT '',   -- of the refusal
  say    TEXT    NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
