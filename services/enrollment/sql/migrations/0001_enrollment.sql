-- The catalogue, the learners and their enrolments.

create table issuer (
    issuer_id text primary key,
    content bytea not null,  -- JSON of IssuerPublished, as told
    published_at timestamptz not null,
    published_by text not null
);

create table achievement (
    achievement_id text not null,
    version integer not null check (version >= 1),
    content bytea not null,  -- JSON of AchievementPublished, as told
    published_at timestamptz not null,
    published_by text not null,
    primary key (achievement_id, version)
);

-- The only personal data of the system is here and on the topic `learners`.
create table learner (
    learner_id text primary key,
    name text,
    email text,
    registered_at timestamptz not null,
    changed_at timestamptz not null
);

create table enrollment (
    event_id uuid primary key,  -- derived from the row; the id under which it is told
    learner_id text not null references learner on delete cascade,
    offer_id text not null,
    status text not null check (status in ('enrolled', 'withdrawn')),
    occurred_at timestamptz not null,
    recorded_at timestamptz not null default now()
);
create index enrollment_of_learner on enrollment (learner_id);
