-- VC-JWTs beside the embedded proofs, keys with their ends, status lists, and when each badge was signed.

-- When awarding signed it, as its own topic tells: what a key signed before it leaked stands (B8).
alter table badge add column awarded_at timestamptz;

-- The same badges as VC-JWTs. They go with their badges.
create table badge_jwt (
    badge_id uuid primary key references badge on delete cascade,
    token text not null
);

-- With a JWK a key signs VC-JWTs, without one embedded proofs.
alter table issuer_key
    add column public_key_jwk text,
    add column revoked_at timestamptz;

-- The status lists as they were signed last: the highest revision wins, whichever comes first.
create table status_list (
    list_id text primary key,
    issuer_id text not null,
    purpose text not null,
    revision integer not null,
    credential bytea not null,
    token text,
    told_at timestamptz not null
);
