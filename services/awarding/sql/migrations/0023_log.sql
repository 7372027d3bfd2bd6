-- The log of issuance (B8): a Merkle tree in which every badge gets a place, for ever. See handlers/logbook.py.

-- The badges that have none yet. A trigger adds them, so that no way of issuing can leave the log out.
create table unlogged (
    place bigint generated always as identity primary key,
    badge_id uuid not null unique
);
insert into unlogged (badge_id) select badge_id from badge order by awarded_at, badge_id;

create function note_unlogged() returns trigger language plpgsql as $$
begin
    insert into unlogged (badge_id) select badge_id from issued on conflict do nothing;
    return null;
end
$$;
create trigger badge_unlogged after insert on badge
    referencing new table as issued for each statement execute function note_unlogged();

-- Which badge stands where. `entry` is a salted commitment to its digest.
create table logged (
    log_index bigint primary key check (log_index >= 0),
    badge_id uuid not null unique,
    entry bytea not null check (octet_length(entry) = 32)
);

-- The right edge of the tree: all that is needed to go on. `peaks` are hashes of 32 bytes, one after the other.
create table log_head (
    only_row boolean primary key default true check (only_row),
    size bigint not null check (size >= 0),
    peaks bytea not null check (octet_length(peaks) % 32 = 0)
);
insert into log_head (size, peaks) values (0, '');
