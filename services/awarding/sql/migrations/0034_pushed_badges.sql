-- Badges of other issuers that programs pushed for a learner, as verification tells them (B12).
alter table imported_badge
    add column is_pushed boolean not null default false,
    -- What was pushed in place of a badge that counts: looked at once that one counts no more.
    add column later bytea;
-- Those that wait for their learner to be registered, or for an address by which they are theirs.
create index imported_badge_unbound on imported_badge (learner_id) where is_pushed and state = 'unclear';
