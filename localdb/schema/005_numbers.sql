-- desk is what the hub last said of the office's PCs, those included that are not
-- at work any more: who wrote an edit is said by the desk's number.
CREATE TABLE desk (
  device TEXT    NOT NULL PRIMARY KEY,  -- as in op
  number INTEGER NOT NULL,              -- in the office, from 1
  name   TEXT    NOT NULL               -- as central IT sees the PC
) STRICT, WITHOUT ROWID;
