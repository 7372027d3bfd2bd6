-- Learner records (CLR 2.0): of one badge with all that it stands on too, of any number of badges, and with a place in
-- the issuer's status lists. What was signed before had no such place: it is signed anew when it is asked for.

drop table learner_record;

-- The last record that was asked for, of each kind.
create table learner_record (
    learner_id text collate "C" not null,
    issuer_id text collate "C" not null,
    -- The badge whose record it is; null: of all badges of the issuer.
    root_id uuid,
    record_id uuid not null,
    asked_at timestamptz not null,
    -- The badges in it, and the name that it shows, once it is signed or refused.
    badge_ids uuid[],
    shown_name text,
    refusal text,
    unique nulls not distinct (learner_id, issuer_id, root_id)
);
create index learner_record_waiting on learner_record (asked_at) where badge_ids is null and refusal is null;

-- Every part that was ever signed: its place in the status lists is its own for ever. The bytes are kept of the last.
create table record_part (
    part_id uuid primary key,
    learner_id text collate "C" not null,
    issuer_id text collate "C" not null,
    badge_ids uuid[] not null,
    -- As the worst of its badges is: 0 holds, 1 suspended, 2 revoked.
    state smallint not null default 0 check (state between 0 and 2),
    status_list integer not null check (status_list >= 1),
    status_index integer not null check (status_index >= 0),
    -- Of the last record: which it is, which part of it, and the part as it was signed.
    record_id uuid,
    number integer check (number >= 1),
    credential text
);
create unique index record_part_status on record_part (status_list, status_index);
create unique index record_part_of_record on record_part (record_id, number) where record_id is not null;
create index record_part_learner on record_part (learner_id);
create index record_part_withdrawn on record_part (issuer_id, status_list) where state <> 0;
