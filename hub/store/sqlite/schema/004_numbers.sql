-- Registration numbers are reserved for PCs in blocks. Numbers below number were
-- given out, or leapt over; 0: none yet. leapt is the epoch in which this row
-- went on beyond what an earlier life of the log may have given: once in each.
ALTER TABLE office ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE office ADD COLUMN leapt  TEXT    NOT NULL DEFAULT '';

-- The highest number of any block that was given to a PC; 0: none yet. A PC that
-- has had a higher one has it from a hub that this one has forgotten to be.
ALTER TABLE device ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
