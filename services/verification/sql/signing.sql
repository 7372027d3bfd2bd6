-- name: keep_tokens
-- Of an erased learner there is no badge, and so no token.
insert into badge_jwt (badge_id, token)
select told.badge_id, told.token
from unnest($1::uuid[], $2::text[]) as told (badge_id, token)
join badge on badge.badge_id = told.badge_id
on conflict (badge_id) do nothing;

-- name: token
select token from badge_jwt where badge_id = $1;

-- name: keep_keys
insert into issuer_key (issuer_id, key_id, public_key_multibase, public_key_jwk, valid_from, valid_until, revoked_at,
                        told_at, event_id, for_assertions)
select distinct on (issuer_id, key_id) issuer_id, key_id, public_key_multibase, public_key_jwk, valid_from, valid_until,
       revoked_at, told_at, event_id, for_assertions
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[],
            $8::timestamptz[], $9::uuid[], $10::boolean[])
    as told (issuer_id, key_id, public_key_multibase, public_key_jwk, valid_from, valid_until, revoked_at, told_at,
             event_id, for_assertions)
order by issuer_id, key_id, told_at desc, event_id desc
on conflict (issuer_id, key_id) do update
set public_key_multibase = excluded.public_key_multibase, public_key_jwk = excluded.public_key_jwk,
    valid_from = excluded.valid_from, valid_until = excluded.valid_until, revoked_at = excluded.revoked_at,
    told_at = excluded.told_at, event_id = excluded.event_id, for_assertions = excluded.for_assertions
where (excluded.told_at, excluded.event_id) > (issuer_key.told_at, issuer_key.event_id);

-- name: token_keys_of_issuer
select key_id, public_key_multibase, public_key_jwk, valid_from, valid_until, revoked_at, told_at,
       for_assertions
from issuer_key where issuer_id = $1 and public_key_jwk is not null order by valid_from, key_id;

-- name: keep_status_lists
insert into status_list (list_id, issuer_id, purpose, revision, credential, token, told_at)
select distinct on (list_id) list_id, issuer_id, purpose, revision, credential, token, told_at
from unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::bytea[], $6::text[], $7::timestamptz[])
    as told (list_id, issuer_id, purpose, revision, credential, token, told_at)
order by list_id, revision desc
on conflict (list_id) do update
set revision = excluded.revision, credential = excluded.credential, token = excluded.token, told_at = excluded.told_at
where excluded.revision > status_list.revision;

-- name: status_list
select list_id, revision, credential, token, told_at from status_list where list_id = $1;

-- name: keep_assertions
insert into signed_assertion (badge_id, issuer_id, learner_id, token, told_at)
select distinct on (told.badge_id) told.badge_id, told.issuer_id,
       case when erased.learner_id is null then told.learner_id end,
       case when erased.learner_id is null then told.token end, told.told_at
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
    as told (badge_id, issuer_id, learner_id, token, told_at)
left join erased_learner as erased on erased.learner_id = told.learner_id and told.told_at <= erased.erased_at
order by told.badge_id, told.told_at desc
on conflict (badge_id) do update
set issuer_id = excluded.issuer_id, learner_id = excluded.learner_id, token = excluded.token,
    told_at = excluded.told_at
where excluded.told_at > signed_assertion.told_at;

-- name: assertion
select token from signed_assertion where badge_id = $1;

-- name: withdrawn_assertions
-- Those that do not hold: revoked, suspended for now, or of erased learners.
select signed.badge_id,
       case when bool_or(change.aspect = 'revocation') then 'revocation'
            when bool_or(change.aspect = 'suspension') then 'suspension' else 'erasure' end as aspect,
       greatest(max(change.told_at), signed.told_at) as changed_at
from signed_assertion as signed
left join badge_change as change on change.badge_id = signed.badge_id and change.holds
where signed.issuer_id = $1 and (change.badge_id is not null or signed.token is null)
group by signed.badge_id
order by signed.badge_id;
