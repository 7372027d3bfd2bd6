-- Who may see a badge.

-- name: links_of_badge
select link_id, badge_id, secret, purpose, until, shows_name, shows_evidence, created_at
from share_link where badge_id = $1 order by created_at, link_id;

-- name: keep_share
insert into badge_share (badge_id, audience, until, shows_name, shows_evidence, changed_at)
values ($1, $2, $3, $4, $5, $6)
on conflict (badge_id) do update
set audience = excluded.audience, until = excluded.until, shows_name = excluded.shows_name,
    shows_evidence = excluded.shows_evidence, changed_at = excluded.changed_at;

-- name: keep_link
-- The number of links of a badge is bounded: nobody needs more, and somebody might try.
insert into share_link (link_id, badge_id, secret, purpose, until, shows_name, shows_evidence, created_at)
select $1, $2, $3, $4, $5, $6, $7, $8
where (select count(*) from share_link where badge_id = $2) < $9;

-- name: drop_link
delete from share_link where badge_id = $1 and link_id = $2;

-- name: badges_of_code
-- Two, if there are two: then the code says nothing.
select badge_id from badge
where left(encode(sha256('cairn short code'::bytea || uuid_send(badge_id)), 'hex'), 15) = $1
limit 2;

-- name: hold_badges
-- Waits for badges that others are keeping, and makes new ones wait: none slips past an erasure.
lock table badge in share row exclusive mode;

-- name: erase_learners
with told as (
    select learner_id, max(erased_at) as erased_at
    from unnest($1::text[], $2::timestamptz[]) as told (learner_id, erased_at) group by learner_id
), erased as (
    insert into erased_learner (learner_id, erased_at) select learner_id, erased_at from told
    on conflict (learner_id) do update set erased_at = greatest(erased_learner.erased_at, excluded.erased_at)
), gone as (
    delete from badge using told
    where badge.learner_id = told.learner_id and badge.issued_at <= told.erased_at
    returning badge.badge_id
), changes as (
    delete from badge_change where badge_id in (select badge_id from gone)
), salts as (
    update log_entry set salt = null where badge_id in (select badge_id from gone)
), shares as (
    delete from badge_share where badge_id in (select badge_id from gone)
), links as (
    delete from share_link where badge_id in (select badge_id from gone)
), endorsements as (
    delete from endorsement where badge_id in (select badge_id from gone)
), assertions as (
    update signed_assertion set learner_id = null, token = null from told
    where signed_assertion.learner_id = told.learner_id and signed_assertion.told_at <= told.erased_at
)
select count(*) from gone;
