-- What issuers say for achievements and badges: asked for at the door, signed by the worker (OB 3.0, section B.1.8).
create table endorsement (
    endorsement_id uuid primary key,
    place bigint generated always as identity,
    issuer_id text collate "C" not null,
    achievement_id text collate "C",
    version integer,
    badge_id uuid,
    comment text not null,
    actor text not null,
    asked_at timestamptz not null,
    traceparent text,
    -- As it was signed; or why it was not.
    credential text,
    open_badge_2 text,
    credential_jwt text,
    signed_at timestamptz,
    refusal text,
    check ((badge_id is null) = (achievement_id is not null and version is not null))
);
create index endorsement_waiting on endorsement (place) where signed_at is null and refusal is null;
create index endorsement_achievement on endorsement (achievement_id, version, place) where credential is not null;
