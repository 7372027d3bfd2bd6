-- What learners decided is told, so that a fresh database knows it before it shows their badges.

-- Null where it was not told yet; a decision by which the learner is not known here is told once the badge is there.
alter table badge_share add column learner_id text;
-- The instant of the decision that was told last. Another than `changed_at`: this one has still to be told, be it from
-- before there was the topic, or of a process of an earlier version that knows nothing of telling.
alter table badge_share add column told_at timestamptz;
create index badge_share_untold on badge_share (badge_id) where told_at is distinct from changed_at;
create index badge_share_of_learner on badge_share (learner_id);
