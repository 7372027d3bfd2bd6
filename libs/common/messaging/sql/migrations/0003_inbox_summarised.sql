-- What the index does not sum up yet is read whole whenever old ids are looked for: sum it up as it grows.
alter index inbox_seen_at set (autosummarize = on);
