-- name: lock_keys
-- Keys are changed by one transaction at a time; who signs does not wait for it.
select pg_advisory_xact_lock(7310002), now() as now;

-- name: transaction_time
select now();

-- name: keys_of
select issuer_id, key_id, public_key_multibase as multibase, public_key_jwk as jwk, valid_from, valid_until, revoked_at,
       signs
from signing_key where issuer_id = any($1::text[])
order by issuer_id, valid_from, key_id;

-- name: keep_keys
insert into signing_key (issuer_id, key_id, public_key_multibase, public_key_jwk, valid_from, valid_until, revoked_at,
                         signs)
select issuer_id, key_id, multibase, jwk, valid_from, valid_until, revoked_at, signs
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[],
            $8::text[])
     as told (issuer_id, key_id, multibase, jwk, valid_from, valid_until, revoked_at, signs)
on conflict (issuer_id, key_id) do update
set valid_until = excluded.valid_until, revoked_at = excluded.revoked_at;

-- name: clear_keys_at_hand
delete from key_at_hand;

-- name: keep_keys_at_hand
insert into key_at_hand (place, issuer_id, key_id, public_key_multibase, public_key_jwk, signs)
select place, issuer_id, key_id, multibase, jwk, signs
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
     with ordinality as told (issuer_id, key_id, multibase, jwk, signs, place);

-- name: keys_at_hand
select issuer_id, key_id, public_key_multibase as multibase, public_key_jwk as jwk, signs
from key_at_hand order by place;

-- name: keep_key_act
insert into key_act (act_id, kind, issuer_id, key_id, at, reason, actor, asked_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (act_id) do nothing
returning act_id;

-- name: is_key_act_known
select exists (select from key_act where act_id = $1);

-- name: key_acts
select act_id, kind, issuer_id, key_id, at, reason, actor, asked_at from key_act where issuer_id = $1 order by place;
