-- Badges that learners offer to their wallets.

-- name: keep_offer
-- In place of the one before: what that one gave ends with it. The badge must be there still, and is held: an erasure
-- that is under way takes the offer with it, or leaves nothing to offer.
insert into wallet_offer (badge_id, reference_digest, code_digest, pin_digest, ends_at)
select badge_id, $2, $3, $4, $5 from badge where badge_id = $1 for key share
on conflict (badge_id) do update
set reference_digest = excluded.reference_digest, code_digest = excluded.code_digest,
    pin_digest = excluded.pin_digest, wrong_pins = 0, ends_at = excluded.ends_at, taken_at = null,
    token_digest = null, token_ends_at = null;

-- name: drop_offer
delete from wallet_offer where badge_id = $1;

-- name: forget_ended_offers
delete from wallet_offer where ends_at < $1;

-- name: offer_of_badge
select badge_id, pin_digest, wrong_pins, ends_at, taken_at, token_ends_at from wallet_offer where badge_id = $1;

-- name: offer_of_reference
select badge_id, pin_digest, wrong_pins, ends_at, taken_at, token_ends_at
from wallet_offer where reference_digest = $1;

-- name: offer_of_code
-- Locked: of two who show one code at a time, the second sees that it was taken.
select badge_id, pin_digest, wrong_pins, ends_at, taken_at, token_ends_at
from wallet_offer where code_digest = $1 for update;

-- name: offer_of_token
select badge_id, pin_digest, wrong_pins, ends_at, taken_at, token_ends_at
from wallet_offer where token_digest = $1;

-- name: count_wrong_pin
update wallet_offer set wrong_pins = wrong_pins + 1 where badge_id = $1;

-- name: take_offer
update wallet_offer set taken_at = $2, token_digest = $3, token_ends_at = $4 where badge_id = $1;

-- name: erase_offers
-- After the badges, as a statement of its own: it sees what was kept until they were gone.
delete from wallet_offer where not exists (select from badge where badge.badge_id = wallet_offer.badge_id);
