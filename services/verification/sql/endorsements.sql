-- name: keep_endorsements
insert into endorsement (endorsement_id, issuer_id, achievement_id, version, badge_id, comment, endorsed_at, credential,
                         open_badge_2, credential_jwt)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::uuid[], $6::text[], $7::timestamptz[],
                     $8::bytea[], $9::bytea[], $10::text[])
on conflict (endorsement_id) do nothing;

-- name: endorsement
select endorsement_id, issuer_id, badge_id, comment, endorsed_at, credential, open_badge_2
from endorsement where endorsement_id = $1;

-- name: endorsements_of_version
select endorsement.endorsement_id, endorsement.issuer_id, endorsement.comment, endorsement.endorsed_at,
       coalesce(issuer.name, endorsement.issuer_id) as issuer_name
from endorsement left join issuer on issuer.issuer_id = endorsement.issuer_id
where achievement_id = $1 and version = $2 and badge_id is null
order by endorsed_at, endorsement_id limit $3;

-- name: endorsements_of_badge
select endorsement.endorsement_id, endorsement.issuer_id, endorsement.comment, endorsement.endorsed_at,
       coalesce(issuer.name, endorsement.issuer_id) as issuer_name
from endorsement left join issuer on issuer.issuer_id = endorsement.issuer_id
where badge_id = $1
order by endorsed_at, endorsement_id limit $2;
