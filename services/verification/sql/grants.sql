-- name: keep_client
insert into oauth_client (client_id, secret_digest, metadata, registered_at) values ($1, $2, $3::jsonb, $4);

-- name: client
select client_id, secret_digest, metadata::text as metadata from oauth_client where client_id = $1;

-- name: keep_grant
insert into oauth_grant (grant_id, client_id, learner_id, scope, granted_at) values ($1, $2, $3, $4, $5);

-- name: end_grant
update oauth_grant set ended_at = $2 where grant_id = $1 and ended_at is null;

-- name: keep_code
insert into oauth_code (code_digest, grant_id, redirect_uri, challenge, ends_at) values ($1, $2, $3, $4, $5);

-- name: code
-- Locked: of two who show one code at a time, the second sees that it was used.
select oauth_code.grant_id, client_id, learner_id, scope, redirect_uri, challenge, ends_at, used_at, ended_at
from oauth_code join oauth_grant using (grant_id)
where code_digest = $1 for update;

-- name: use_code
update oauth_code set used_at = $2 where code_digest = $1;

-- name: keep_token
insert into oauth_token (access_digest, refresh_digest, grant_id, scope, access_ends_at, refresh_ends_at)
values ($1, $2, $3, $4, $5, $6);

-- name: token
select oauth_token.grant_id, client_id, learner_id, oauth_token.scope, access_digest, access_ends_at,
       refresh_digest, refresh_ends_at, replaced_at, ended_at
from oauth_token join oauth_grant using (grant_id)
where access_digest = $1 or refresh_digest = $1 for update;

-- name: access
select learner_id, oauth_token.scope from oauth_token join oauth_grant using (grant_id)
where access_digest = $1 and access_ends_at > $2 and replaced_at is null and ended_at is null;

-- name: replace_token
update oauth_token set replaced_at = $2 where access_digest = $1;

-- name: forget_ended
-- What can be used no more, a day later; the cascade takes codes and tokens with it.
delete from oauth_grant
where granted_at < $1 and not exists (
    select from oauth_token where oauth_token.grant_id = oauth_grant.grant_id and refresh_ends_at > $1
);

-- name: erase_learners_grants
delete from oauth_grant where learner_id = any($1::text[]);

-- name: erase_what_came_by_grants
-- After the grants, as a statement of its own: it sees what was kept until they were gone.
with profiles as (delete from learner_profile where learner_id = any($1::text[]))
delete from pushed_badge where learner_id = any($1::text[]);
