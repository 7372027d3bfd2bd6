-- A learner's record towards one issuer (CLR 2.0): asked for at the door, signed by the worker. One is kept; another is
-- signed when the badges that hold are not those that are in it.
create table learner_record (
    learner_id text collate "C" not null,
    issuer_id text collate "C" not null,
    record_id uuid not null,
    asked_at timestamptz not null,
    -- The badges that are in it, and the record as it was signed.
    badge_ids uuid[],
    credential text,
    refusal text,
    primary key (learner_id, issuer_id)
);
create index learner_record_waiting on learner_record (asked_at) where credential is null and refusal is null;
