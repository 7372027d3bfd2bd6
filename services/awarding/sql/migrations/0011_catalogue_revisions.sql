-- A revision of the catalogue is never numbered twice, not even after a rollback: so a worker may keep what it made of
-- a revision before it was committed, and need not read all that was published at once a second time.
create sequence catalogue_revision_number;
select setval('catalogue_revision_number', revision + 1, false) from catalogue_revision;
