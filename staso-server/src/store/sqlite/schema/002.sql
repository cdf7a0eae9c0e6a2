-- What an upgrade left to be derived again from the records while the store is in use: see `upgrade.rs`.
ALTER TABLE trace ADD COLUMN again INTEGER; -- 1 its text, 2 its spans too, else NULL
CREATE INDEX trace_again ON trace (again) WHERE again IS NOT NULL;
