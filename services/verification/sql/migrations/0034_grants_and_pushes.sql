-- What learners see and end of the programs that they let in, and what became of the badges that these pushed.

-- When a program last came for a code or a token; null for one that no learner ever let in.
alter table oauth_client add column used_at timestamptz;
update oauth_client set used_at = granted.at
from (select client_id, max(granted_at) as at from oauth_grant group by client_id) granted
where granted.client_id = oauth_client.client_id;
create index oauth_client_idle on oauth_client (coalesce(used_at, registered_at));
create index oauth_grant_of_client on oauth_grant (client_id);

-- Who let which program in and who ended that, when: kept after the grant itself is gone, until the learner's erasure.
create table grant_word (
    grant_id uuid not null,
    act text not null check (act in ('granted', 'ended')),
    learner_id text not null,
    program text not null,
    address text not null,
    scope text not null,
    -- Who did it: the learner, the program, or we, because a code or token was shown twice.
    actor text not null check (actor in ('learner', 'program', 'misuse')),
    at timestamptz not null,
    primary key (grant_id, act)
);
create index grant_word_of_learner on grant_word (learner_id, at);

-- The id by which a pushed badge is told, and the digest of what was told last; null while it was not told.
alter table pushed_badge add column push_id uuid, add column digest text;

-- The last word of awarding on each badge of another issuer.
create table import_word (
    import_id uuid primary key,
    learner_id text not null,
    state text not null,
    cause text,
    detail text,
    digest text,
    told_at timestamptz not null,
    event_id uuid not null
);
create index import_word_of_learner on import_word (learner_id);
