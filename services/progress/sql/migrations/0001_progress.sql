-- The learning events as they came in, and what must be known to judge them. Events are never updated.

create table event (
    event_id uuid primary key,  -- derived from sender, source and source_id; the id under which it is told
    sequence bigint generated always as identity,  -- order of arrival, batch by batch
    type text not null,
    learner_id text not null,
    object_id text not null,  -- the activity, assessment or evidence component
    occurred_at timestamptz not null,
    received_at timestamptz not null default now(),
    sender text not null,  -- the caller, or the topic, that sent it
    source text not null,  -- CloudEvents `source` and `id`, as sent
    source_id text not null,
    traceparent text,
    unmapped boolean not null,  -- no published achievement mentioned the object when the event came
    body bytea not null  -- JSON of the contract: what is told
) with (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 500000);
create index event_of_learner on event (learner_id, sequence);
create index event_unmapped on event (sequence) where unmapped;

-- Events whose learner is not known yet: told when the learner appears, in this order.
create table parked_event (
    sequence bigint generated always as identity primary key,
    event_id uuid not null unique references event on delete cascade,
    learner_id text not null
);
create index parked_event_of_learner on parked_event (learner_id, sequence);

create table learner (
    learner_id text primary key,
    known_since timestamptz not null default now()
);

-- What the published achievements mention. It only grows: learners may stay on an earlier version.
create table mapped_object (
    kind text not null check (kind in ('activity', 'assessment', 'evidence')),
    object_id text not null,
    primary key (object_id, kind)
);

-- The newest word on each enrolment, by (occurred_at, event_id), in whatever order the words came.
create table enrollment (
    learner_id text not null,
    offer_id text not null,
    status text not null check (status in ('enrolled', 'withdrawn')),
    occurred_at timestamptz not null,
    event_id uuid not null,
    primary key (learner_id, offer_id)
);

-- The badges of a learner, to show beside the progress; awarding owns them.
create table badge (
    badge_id uuid primary key,
    learner_id text not null,
    achievement_id text,  -- null while only a change of state was heard
    status text not null check (status in ('issued', 'suspended', 'revoked')),
    status_at timestamptz not null,
    status_event_id uuid not null
);
create index badge_of_learner on badge (learner_id);
