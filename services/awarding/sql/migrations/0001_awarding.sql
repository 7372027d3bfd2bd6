-- What awarding knows: the catalogue, the learners, what they did, and the badges that it made of that.
-- Ids are compared by their bytes ("C"), which is faster than by the rules of a language and the same everywhere.

-- Which state of the catalogue the database holds. Workers keep the catalogue in memory and look here once a
-- batch, under a shared advisory lock that a publication takes exclusively.
create table catalogue_revision (
    only_row boolean primary key default true check (only_row),
    revision bigint not null,
    -- The transaction that made it, so that it knows its own, not yet committed, state.
    changed_by xid8
);
insert into catalogue_revision (revision) values (0);

create table issuer (
    issuer_id text collate "C" primary key,
    revision bigint not null,
    published text not null
);
create index issuer_revision on issuer (revision);

-- Every published version, as it was told.
create table achievement (
    achievement_id text collate "C" not null,
    version integer not null check (version >= 1),
    revision bigint not null,
    published text not null,
    primary key (achievement_id, version)
);
create index achievement_revision on achievement (revision);

-- A learner named by a fact before enrollment told of them has no `registered_at` yet: their facts wait.
-- The row is also the lock under which everything about one learner is decided.
create table learner (
    learner_id text collate "C" primary key,
    registered_at timestamptz,
    erased_at timestamptz
) with (fillfactor = 80);

-- What happened, as it was told: every attempt is kept. `arrived` is the order in which facts came in.
create table fact (
    learner_id text collate "C" not null,
    object_id text collate "C" not null,
    kind smallint not null check (kind between 1 and 3),
    event_id uuid not null,
    arrived bigint generated always as identity,
    occurred_at timestamptz not null,
    received_at timestamptz not null default now(),
    -- `points` out of `out_of`, both above the minimum of the scale; exact, never divided (M1.28).
    points numeric,
    out_of numeric check (out_of > 0),
    assessor text,
    digest text,
    traceparent text,
    voided_by uuid,
    primary key (learner_id, object_id, kind, event_id),
    check ((points is null) = (out_of is null)),
    check ((points is null) = (kind <> 2))
) with (autovacuum_vacuum_insert_scale_factor = 0.1);
-- Who did something about an object: asked when an achievement is published after the fact. By a hash, because that
-- is small, and because no other query may be led to use this index.
create index fact_object on fact (hashtextextended(object_id, 0));

-- Facts that do not count, by the event that says so; the fact itself may come later.
create table voided (
    learner_id text collate "C" not null,
    object_id text collate "C" not null,
    kind smallint not null,
    event_id uuid not null,
    voided_by uuid not null,
    occurred_at timestamptz not null,
    primary key (learner_id, object_id, kind, event_id)
);

-- The badges with their signed bytes. The unique key is the promise: one badge a learner, achievement, version
-- and cycle (B2).
create table badge (
    badge_id uuid primary key,
    learner_id text collate "C" not null,
    achievement_id text collate "C" not null,
    version integer not null,
    cycle integer not null check (cycle >= 0),
    issuer_id text collate "C" not null,
    valid_from timestamptz not null,
    valid_until timestamptz,
    credential text not null,
    open_badge_2 text not null,
    digest text not null,
    -- The events and badges that met the requirement, and the event whose arrival completed it.
    evidence_events uuid[] not null,
    evidence_badges uuid[] not null,
    trigger_event_id uuid not null,
    trigger_arrived bigint not null,
    trigger_traceparent text,
    -- The span in which it was awarded.
    traceparent text,
    awarded_at timestamptz not null default now(),
    unique (learner_id, achievement_id, version, cycle),
    foreign key (achievement_id, version) references achievement
);
create index badge_achievement on badge (achievement_id);

-- Learners to look at again, because an achievement or the learner became known after their facts.
create table recheck (
    learner_id text collate "C" primary key,
    due_at timestamptz not null default now()
);
create index recheck_due on recheck (due_at, learner_id);

-- The public keys that were told.
create table signing_key (
    issuer_id text collate "C" not null,
    key_id text not null,
    public_key_multibase text not null,
    valid_from timestamptz not null,
    primary key (issuer_id, key_id)
);
