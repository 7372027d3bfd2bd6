-- name: ended_learners
-- The learners who have badges whose time has run out and who were not told so, the longest ago first, now locked; and
-- of each the instant at which the first of theirs ran out. Whom another worker has is left alone.
select ended.learner_id, ended.valid_until
from (
    select learner_id, min(valid_until) as valid_until
    from (
        select learner_id, valid_until from badge
        where valid_until < $1 and not is_expired and (expiry_put_off_until is null or expiry_put_off_until <= now())
        order by valid_until, learner_id
        limit $2
    ) first
    group by learner_id
) ended
cross join lateral (
    select learner_id from learner where learner.learner_id = ended.learner_id for no key update skip locked
) locked
order by ended.valid_until, ended.learner_id;

-- name: expire_badges
-- Of each learner the badges that ended at the instant. A revoked one ends as well, and nobody need be told.
update badge set is_expired = true, expiry_put_off_until = null
from unnest($1::text[], $2::timestamptz[]) as ended (learner_id, valid_until)
where badge.learner_id = ended.learner_id and badge.valid_until = ended.valid_until and not badge.is_expired
returning badge.badge_id, badge.learner_id, badge.achievement_id, badge.valid_until, badge.traceparent,
          badge.state = 2 as revoked;

-- name: put_off_expiry
update badge set expiry_put_off_until = now() + $2::double precision * interval '1 second'
where learner_id = any($1::text[]) and valid_until is not null and not is_expired;
