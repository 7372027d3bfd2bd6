-- What verification knows: a read model of what others told. Every row says when it was told and by which event,
-- so that the state depends on the set of events and not on their order.

create table issuer (
    issuer_id text primary key,
    name text not null,
    url text not null,
    email text,
    description text,
    told_at timestamptz not null,
    event_id uuid not null
);

create table achievement (
    achievement_id text not null,
    version integer not null check (version >= 1),
    kind text not null,
    issuer_id text not null,
    name text not null,
    description text not null,
    criteria text not null,
    language text not null,
    tags text[] not null,
    alignments jsonb not null,
    level smallint check (level between 1 and 4),
    hours numeric,
    credits numeric,
    published_at timestamptz not null,
    told_at timestamptz not null,
    event_id uuid not null,
    primary key (achievement_id, version)
);
create index achievement_of_issuer on achievement (issuer_id);

-- The signed documents as they were signed: bytes, never rebuilt. A row never changes.
create table badge (
    badge_id uuid primary key,
    learner_id text not null,
    achievement_id text not null,
    version integer not null,
    issuer_id text not null,
    valid_from timestamptz not null,
    valid_until timestamptz,
    credential bytea not null,
    open_badge_2 bytea not null,
    digest text not null check (digest ~ '^sha256:[0-9a-f]{64}$'),
    issued_at timestamptz not null,
    -- The span that told of the badge: its page links to it, so that one trace leads from event to verdict (B9).
    traceparent text
);
create index badge_of_learner on badge (learner_id, valid_from desc, badge_id);

-- What became of badges. It may be told before the badge itself: no foreign key.
-- A revocation is for good, so it stands beside suspension and not in its place.
create table badge_change (
    badge_id uuid not null,
    aspect text not null check (aspect in ('revocation', 'suspension')),
    holds boolean not null,
    reason text not null,
    told_at timestamptz not null,
    event_id uuid not null,
    primary key (badge_id, aspect),
    check (aspect = 'suspension' or holds)
);

create table issuer_key (
    issuer_id text not null,
    key_id text not null,
    public_key_multibase text not null,
    valid_from timestamptz not null,
    valid_until timestamptz,
    told_at timestamptz not null,
    event_id uuid not null,
    primary key (issuer_id, key_id)
);
