-- Whether the inbox holds the event of a dead letter: it was counted as seen before it failed, however often and at
-- whichever stage it fails again. A resend must not take it for a duplicate.
alter table dead_letter add column was_seen boolean not null default false;
update dead_letter set was_seen = true where stage = 'handler';
