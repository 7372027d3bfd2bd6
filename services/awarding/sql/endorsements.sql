-- name: keep_endorsement
insert into endorsement (endorsement_id, issuer_id, achievement_id, version, badge_id, comment, actor, asked_at,
                         traceparent)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (endorsement_id) do nothing;

-- name: endorsement
select endorsement_id, issuer_id, achievement_id, version, badge_id, comment, actor, asked_at, traceparent, signed_at,
       refusal
from endorsement where endorsement_id = $1;

-- name: waiting_endorsements
select endorsement_id, issuer_id, achievement_id, version, badge_id, comment, actor, asked_at, traceparent, signed_at,
       refusal
from endorsement where signed_at is null and refusal is null
order by place limit $1
for no key update skip locked;

-- name: sign_endorsements
update endorsement
set credential = told.credential, open_badge_2 = told.open_badge_2, credential_jwt = told.credential_jwt,
    signed_at = now()
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
     as told (endorsement_id, credential, open_badge_2, credential_jwt)
where endorsement.endorsement_id = told.endorsement_id;

-- name: refuse_endorsements
update endorsement set refusal = told.refusal
from unnest($1::uuid[], $2::text[]) as told (endorsement_id, refusal)
where endorsement.endorsement_id = told.endorsement_id;

-- name: endorsements_of_versions
-- The first signed few of each version: they go into the badges that are signed from now on.
select wanted.achievement_id, wanted.version, found.credential
from unnest($1::text[], $2::integer[]) as wanted (achievement_id, version)
cross join lateral (
    select credential from endorsement
    where endorsement.achievement_id = wanted.achievement_id and endorsement.version = wanted.version
      and credential is not null
    order by place limit $3
) found;

-- name: remember_endorsements
insert into endorsement (endorsement_id, issuer_id, achievement_id, version, badge_id, comment, actor, asked_at,
                         credential, open_badge_2, credential_jwt, signed_at)
select endorsement_id, issuer_id, achievement_id, version, badge_id, comment, 'topic', asked_at, credential,
       open_badge_2, credential_jwt, asked_at
from unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::uuid[], $6::text[], $7::timestamptz[], $8::text[],
            $9::text[], $10::text[])
     as told (endorsement_id, issuer_id, achievement_id, version, badge_id, comment, asked_at, credential,
              open_badge_2, credential_jwt)
on conflict (endorsement_id) do nothing;
