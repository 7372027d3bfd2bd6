-- As fast with many achievements, learners and badges as with few.

-- A revision of the catalogue is never numbered twice, not even after a rollback: so a worker may keep what it made of
-- a revision before it was committed, and need not read all that was published at once a second time.
create sequence catalogue_revision_number;
select setval('catalogue_revision_number', revision + 1, false) from catalogue_revision;

-- Who holds a badge of an achievement, by a hash, so that only those queries use the index that ask for it: while
-- `badge` was small, plans for "this learner's badge of this achievement" took the index of the achievement alone, and
-- kept to it while it grew by every badge.
drop index badge_achievement;
create index badge_achievement on badge (hashtextextended(achievement_id, 0));
