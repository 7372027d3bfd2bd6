-- What issuers say for achievement versions and badges, as it was signed. A row never changes.
create table endorsement (
    endorsement_id uuid primary key,
    issuer_id text not null,
    achievement_id text,
    version integer,
    badge_id uuid,
    comment text not null,
    endorsed_at timestamptz not null,
    credential bytea not null,
    open_badge_2 bytea not null,
    credential_jwt text
);
create index endorsement_of_version on endorsement (achievement_id, version, endorsed_at) where badge_id is null;
create index endorsement_of_badge on endorsement (badge_id, endorsed_at) where badge_id is not null;
