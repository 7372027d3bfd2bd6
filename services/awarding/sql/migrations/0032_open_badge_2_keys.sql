-- Issuers have keys of their own for signed Open Badges 2.0 (M1.39), and a revoked one's assertions are signed anew (B8).

-- What a key signs: embedded proofs, VC-JWTs, or Open Badges 2.0 alone.
alter table signing_key
    add column signs text not null default 'proofs' check (signs in ('proofs', 'tokens', 'assertions'));
update signing_key set signs = 'tokens' where public_key_jwk is not null;
alter table key_at_hand
    add column signs text not null default 'proofs' check (signs in ('proofs', 'tokens', 'assertions'));
update key_at_hand set signs = 'tokens' where public_key_jwk is not null;

-- Which key signed: of those that are there already, the last part of the address that they name as `creator`.
alter table signed_assertion add column key_id text;
with signed as (
    select badge_id, translate(split_part(token, '.', 2), '-_', '+/') as payload
    from signed_assertion where token is not null
), said as (
    select badge_id,
           convert_from(decode(rpad(payload, 4 * ceil(length(payload) / 4.0)::integer, '='), 'base64'), 'UTF8')::jsonb
               -> 'verification' ->> 'creator' as creator
    from signed
)
update signed_assertion set key_id = regexp_replace(said.creator, '^.*/', '')
from said where said.badge_id = signed_assertion.badge_id;
