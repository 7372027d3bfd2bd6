-- Badges end and are renewed: whether it was told of a badge that its time has run out, and until when that is put off
-- because it failed.
alter table badge
    add column is_expired boolean not null default false,
    add column expiry_put_off_until timestamptz;
create index badge_ending on badge (valid_until) where valid_until is not null and not is_expired;
