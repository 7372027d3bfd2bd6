-- name: keep_client
insert into oauth_client (client_id, secret_digest, metadata, registered_at) values ($1, $2, $3::jsonb, $4);

-- name: client
select client_id, secret_digest, metadata::text as metadata from oauth_client where client_id = $1;

-- name: held_client
-- Not forgotten while it is let in.
select client_id, secret_digest, metadata::text as metadata from oauth_client where client_id = $1 for key share;

-- name: use_client
update oauth_client set used_at = $2 where client_id = $1;

-- name: keep_grant
with granted as (
    insert into oauth_grant (grant_id, client_id, learner_id, scope, granted_at) values ($1, $2, $3, $4, $5)
    returning *
)
insert into grant_word (grant_id, act, learner_id, program, address, scope, actor, at)
select grant_id, 'granted', learner_id, metadata ->> 'client_name', $6, scope, 'learner', granted_at
from granted join oauth_client using (client_id);

-- name: end_grant
-- Of a learner, if one is named; what was ended before stays as it is.
with ended as (
    update oauth_grant set ended_at = $2
    where grant_id = $1 and ended_at is null and ($4::text is null or learner_id = $4)
    returning *
)
insert into grant_word (grant_id, act, learner_id, program, address, scope, actor, at)
select ended.grant_id, 'ended', ended.learner_id, coalesce(word.program, metadata ->> 'client_name'),
       coalesce(word.address, metadata -> 'redirect_uris' ->> 0), ended.scope, $3, ended.ended_at
from ended join oauth_client using (client_id)
left join grant_word word on word.grant_id = ended.grant_id and word.act = 'granted'
returning grant_id;

-- name: grants_of_learner
-- Those by which a program still gets in, or may with a code or refresh token that it has.
select oauth_grant.grant_id, metadata ->> 'client_name' as program,
       coalesce(oauth_code.redirect_uri, metadata -> 'redirect_uris' ->> 0) as address, scope, granted_at,
       greatest(living.ends_at, oauth_code.ends_at) as ends_at
from oauth_grant
join oauth_client using (client_id)
left join oauth_code on oauth_code.grant_id = oauth_grant.grant_id
left join lateral (
    select max(greatest(access_ends_at, refresh_ends_at)) as ends_at from oauth_token
    where oauth_token.grant_id = oauth_grant.grant_id and replaced_at is null
) living on true
where learner_id = $1 and ended_at is null
  and (living.ends_at > $2 or (oauth_code.used_at is null and oauth_code.ends_at > $2))
order by granted_at desc, grant_id limit $3;

-- name: grant_words
select grant_id, act, program, address, scope, actor, at from grant_word
where learner_id = $1 order by at desc, grant_id, act limit $2;

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
delete from oauth_grant where grant_id in (
    select grant_id from oauth_grant
    where granted_at < $1 and (ended_at < $1 or not exists (
        select from oauth_token where oauth_token.grant_id = oauth_grant.grant_id
        and greatest(access_ends_at, refresh_ends_at) > $1
    ))
    order by granted_at limit $2 for update skip locked
);

-- name: forget_replaced
-- Pairs of tokens that another took the place of, once even who stole them could show neither.
delete from oauth_token where access_digest in (
    select access_digest from oauth_token where greatest(access_ends_at, refresh_ends_at) < $1 limit $2
    for update skip locked
);

-- name: forget_clients
-- Programs that no learner let in since they registered, and those of which none was used for long.
delete from oauth_client where client_id in (
    select client_id from oauth_client
    where coalesce(used_at, registered_at) < greatest($1::timestamptz, $2)
      and coalesce(used_at, registered_at) < case when used_at is null then $1 else $2 end
      and not exists (select from oauth_grant where oauth_grant.client_id = oauth_client.client_id)
    order by coalesce(used_at, registered_at) limit $3 for update skip locked
);

-- name: erase_learners_grants
with words as (delete from grant_word where learner_id = any($1::text[]))
delete from oauth_grant where learner_id = any($1::text[]);

-- name: erase_what_came_by_grants
-- After the grants, as a statement of its own: it sees what was kept until they were gone.
with profiles as (delete from learner_profile where learner_id = any($1::text[]))
delete from pushed_badge where learner_id = any($1::text[]) returning learner_id, push_id;
