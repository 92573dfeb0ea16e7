-- gone: 1: let go after its time of retention. Of the op only its place and
-- time are left, and in raw the SHA-256 of what was there, so that the log still
-- adds up to what the hub's does.
ALTER TABLE op ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
CREATE INDEX op_gone ON op (kind, entity) WHERE gone = 1;

-- What others wrote and the hub has lost waits here too.
CREATE INDEX op_unplaced ON op (device, seq) WHERE pos IS NULL;

-- A PC that has taken another name remembers under which one it did what.
ALTER TABLE done ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE done DROP COLUMN last;

-- What the disk changes behind everybody's back shows in the op's own checksum;
-- null: written before there was one.
ALTER TABLE op ADD COLUMN crc INTEGER;
