-- Who may see a badge, as its learner decides. These rows are the learner's own, and stand in no topic: a rebuild of
-- what was heard leaves them alone, which is why they name the badge without a foreign key.

-- A badge without a row is shared as the deployment's setting says.
create table badge_share (
    badge_id uuid primary key,
    audience text not null check (audience in ('public', 'private')),
    until timestamptz,
    shows_name boolean not null,
    shows_evidence boolean not null,
    changed_at timestamptz not null,
    check (until is null or audience = 'public')
);

-- Links that show a badge to whoever has them. The secret stands as it is, so that the learner can copy the link
-- again: it opens nothing but a badge that lies beside it in this database.
create table share_link (
    link_id uuid primary key,
    badge_id uuid not null,
    secret text not null check (length(secret) >= 32),
    purpose text not null check (length(purpose) between 1 and 200),
    until timestamptz,
    shows_name boolean not null,
    shows_evidence boolean not null,
    created_at timestamptz not null
);
create index share_link_of_badge on share_link (badge_id);

-- Whose badges issued until then are not kept: a tombstone may be heard before the badge.
create table erased_learner (
    learner_id text primary key,
    erased_at timestamptz not null
);

-- A badge's short code is 60 bits of the digest of its id (rules/codes.py): nothing to keep, only to find.
create index badge_of_code on badge (left(encode(sha256('cairn short code'::bytea || uuid_send(badge_id)), 'hex'), 15));
