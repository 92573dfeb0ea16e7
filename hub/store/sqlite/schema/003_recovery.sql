-- What makes a restored hub, a lost one and a copied PC bearable.

-- The digest of an office's log is a follower of it: total covers positions up
-- to summed. A log that was written before there was a digest is caught up page
-- by page.
ALTER TABLE office ADD COLUMN summed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE office ADD COLUMN total  BLOB    NOT NULL DEFAULT x'';     -- count and four sums, 40 bytes

-- The PC that brought an op back after the hub had lost it; '': its author
-- sent it.
ALTER TABLE op ADD COLUMN via TEXT NOT NULL DEFAULT '';

CREATE INDEX op_by_via ON op (office) WHERE via <> '';

-- A device is of kind pc, hub or, known only by ops that were brought back and
-- without a key here, gone.
ALTER TABLE device ADD COLUMN old     TEXT    NOT NULL DEFAULT '';     -- the device that this one follows
ALTER TABLE device ADD COLUMN retired INTEGER NOT NULL DEFAULT 0;      -- ms: from then on nothing is taken from it; 0: it is at work
ALTER TABLE device ADD COLUMN heir    TEXT    NOT NULL DEFAULT '';     -- the first device that follows it
ALTER TABLE device ADD COLUMN cloned  INTEGER NOT NULL DEFAULT 0;      -- 1: retired because two machines used its key
ALTER TABLE device ADD COLUMN boot    TEXT    NOT NULL DEFAULT '';     -- the run of the PC that its latest request came from
ALTER TABLE device ADD COLUMN boots   TEXT    NOT NULL DEFAULT '[]';   -- the runs before that one, oldest first, JSON
