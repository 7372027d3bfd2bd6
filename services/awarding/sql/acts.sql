-- name: keep_acts
insert into act (act_id, kind, learner_id, achievement_id, badge_id, reason, evidence, actor, asked_at, traceparent)
select act_id, kind, learner_id, achievement_id, badge_id, reason, evidence, actor, asked_at, traceparent
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::text[],
            $9::timestamptz[], $10::text[])
     with ordinality as told (act_id, kind, learner_id, achievement_id, badge_id, reason, evidence, actor, asked_at,
                              traceparent, nth)
order by nth
on conflict (act_id) do nothing;

-- name: act
select act_id, kind, learner_id, achievement_id, badge_id, reason, evidence, actor, asked_at, traceparent, refusal,
       done_at, job_id, line
from act where act_id = $1;

-- name: acts_on_badge
select act_id, kind, learner_id, achievement_id, badge_id, reason, evidence, actor, asked_at, traceparent, refusal,
       done_at, job_id, line
from act where badge_id = $1 order by place;

-- name: waiting_acts
-- The first act that waits of each learner, who is locked now; whom another worker has is left alone.
select act.act_id, act.kind, act.learner_id, act.achievement_id, act.badge_id, act.reason, act.evidence, act.actor,
       act.asked_at, act.traceparent, act.refusal, act.done_at, act.job_id, act.line,
       locked.registered_at is not null as registered
from (select learner_id, min(place) as place from act where done_at is null group by learner_id limit $1) waiting
cross join lateral (
    select registered_at from learner where learner.learner_id = waiting.learner_id for no key update skip locked
) locked
join act on act.place = waiting.place and act.learner_id = waiting.learner_id and act.done_at is null
order by act.learner_id;

-- name: done_acts
update act set done_at = now(), refusal = told.refusal, badge_id = coalesce(act.badge_id, told.badge_id)
from unnest($1::uuid[], $2::text[], $3::uuid[]) as told (act_id, refusal, badge_id)
where act.act_id = told.act_id and act.done_at is null
returning act.act_id, act.badge_id, act.done_at;

-- name: decide_by_hand
update badge set by_hand = told.by_hand
from unnest($1::uuid[], $2::smallint[]) as told (badge_id, by_hand)
where badge.badge_id = told.badge_id;

-- name: badge_now
select badge_id, learner_id, achievement_id, version, cycle, valid_from, valid_until, state, by_hand, awarded_at,
       is_expired
from badge where badge_id = $1;

-- name: changes_of_badge
select state, reason, event_id, cause_id, told_at, changed_at from badge_change where badge_id = $1 order by place;
