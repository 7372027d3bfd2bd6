-- The Open Badges 3.0 API: programs that a learner lets at their badges. Secrets are kept as digests only.
create table oauth_client (
    client_id text primary key,
    secret_digest bytea,
    metadata jsonb not null,
    registered_at timestamptz not null
);

-- What a learner granted a program; ending it ends every code and token that came of it.
create table oauth_grant (
    grant_id uuid primary key,
    client_id text not null references oauth_client on delete cascade,
    learner_id text not null,
    scope text not null,
    granted_at timestamptz not null,
    ended_at timestamptz
);
create index oauth_grant_of_learner on oauth_grant (learner_id);

create table oauth_code (
    code_digest bytea primary key,
    grant_id uuid not null references oauth_grant on delete cascade,
    redirect_uri text not null,
    challenge text not null,
    ends_at timestamptz not null,
    used_at timestamptz
);

create table oauth_token (
    access_digest bytea primary key,
    refresh_digest bytea not null unique,
    grant_id uuid not null references oauth_grant on delete cascade,
    scope text not null,
    access_ends_at timestamptz not null,
    refresh_ends_at timestamptz not null,
    -- When another took its place: who shows it again after that is somebody else.
    replaced_at timestamptz
);
create index oauth_token_of_grant on oauth_token (grant_id);

-- Badges of others that programs brought for a learner, to the byte.
create table pushed_badge (
    learner_id text not null,
    credential_id text not null,
    content bytea not null,
    is_token boolean not null,
    issued_at timestamptz not null,
    kept_at timestamptz not null,
    primary key (learner_id, credential_id)
);

create table learner_profile (
    learner_id text primary key,
    document bytea not null,
    kept_at timestamptz not null
);
