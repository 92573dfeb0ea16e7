-- settings is every bundle of settings that was published, as it was signed.
-- Numbers are one row for all targets: a PC goes by the highest that is for the
-- nation or for its office.
CREATE TABLE settings (
  number    INTEGER NOT NULL PRIMARY KEY,
  target    TEXT    NOT NULL,           -- national, or an office
  published INTEGER NOT NULL,           -- ms
  box       TEXT    NOT NULL            -- signed; nothing in it is changed here
) STRICT;

CREATE INDEX settings_by_target ON settings (target, number);

-- What a PC last said of its settings, JSON; '': it has said nothing.
ALTER TABLE device ADD COLUMN settings TEXT NOT NULL DEFAULT '';
