-- What awarding told on its own topic, kept again by a fresh database; see handlers/restoring.py.

-- name: is_restored
select exists (select from restored);

-- name: restore_badges
-- As they were told, to the byte. An erased learner's badges stand on nothing any more.
insert into badge (badge_id, learner_id, achievement_id, version, cycle, issuer_id, valid_from, valid_until,
                   credential, open_badge_2, digest, evidence_events, evidence_badges, trigger_event_id,
                   trigger_arrived, traceparent, is_grounded, awarded_at, status_list, status_index)
select badge_id, learner_id, achievement_id, version, cycle, issuer_id, valid_from, valid_until, credential,
       open_badge_2, digest, string_to_array(evidence_events, ' ')::uuid[],
       string_to_array(evidence_badges, ' ')::uuid[], trigger_event_id, 0, traceparent,
       is_grounded and not exists (select from learner where learner.learner_id = told.learner_id
                                   and learner.erased_at is not null),
       awarded_at, status_list, status_index
from unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::integer[], $6::text[], $7::timestamptz[],
            $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::uuid[],
            $15::text[], $16::boolean[], $17::timestamptz[], $18::integer[], $19::integer[])
     as told (badge_id, learner_id, achievement_id, version, cycle, issuer_id, valid_from, valid_until, credential,
              open_badge_2, digest, evidence_events, evidence_badges, trigger_event_id, traceparent, is_grounded,
              awarded_at, status_list, status_index)
on conflict do nothing;

-- name: restore_changes
insert into badge_change (event_id, badge_id, state, reason, cause_id, told_at, changed_at)
select event_id, badge_id, state, reason, cause_id, told_at, told_at
from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::text[], $5::uuid[], $6::timestamptz[])
     with ordinality as told (event_id, badge_id, state, reason, cause_id, told_at, place)
order by place
on conflict (event_id) do nothing;

-- name: restore_states
-- Each change of a badge was told later than the one before.
update badge set state = told.state, told_at = told.told_at, is_over = badge.is_over or told.is_over
from (
    select distinct on (badge_id) badge_id, state, told_at, is_over
    from unnest($1::uuid[], $2::smallint[], $3::timestamptz[], $4::boolean[])
         as told (badge_id, state, told_at, is_over)
    order by badge_id, told_at desc
) told
where badge.badge_id = told.badge_id and (badge.told_at is null or badge.told_at < told.told_at);

-- name: restore_ends
update badge set is_expired = true where badge_id = any($1::uuid[]);

-- name: restore_decisions
-- The last of what people decided about each badge.
update badge set by_hand = told.by_hand
from (
    select distinct on (badge_id) badge_id, by_hand
    from unnest($1::uuid[], $2::smallint[]) with ordinality as told (badge_id, by_hand, place)
    order by badge_id, place desc
) told
where badge.badge_id = told.badge_id;

-- name: restore_acts
-- That they were carried out, so that none is carried out twice; who asked is told apart, if at all.
insert into act (act_id, kind, learner_id, achievement_id, badge_id, reason, evidence, actor, asked_at, done_at)
select act_id, kind, learner_id, achievement_id, badge_id, coalesce(reason, $1), $1, $1, asked_at, done_at
from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::timestamptz[],
            $9::timestamptz[])
     with ordinality as told (act_id, kind, learner_id, achievement_id, badge_id, reason, asked_at, done_at, place)
order by place
on conflict (act_id) do nothing;

-- name: restore_jobs
insert into bulk_job (job_id, kind, reason, evidence, actor, asked_at, is_restored)
select distinct on (job_id) job_id, kind, reason, evidence, actor, asked_at, true
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
     as told (job_id, kind, reason, evidence, actor, asked_at)
order by job_id
on conflict (job_id) do nothing;

-- name: restore_audit
-- All that was told of acts, also of those of which it was known before that they were carried out.
insert into act (act_id, kind, learner_id, achievement_id, badge_id, reason, evidence, actor, asked_at, done_at,
                 refusal, job_id, line)
select act_id, kind, learner_id, achievement_id, badge_id, reason, evidence, actor, asked_at, done_at, refusal, job_id,
       line
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::text[],
            $9::timestamptz[], $10::timestamptz[], $11::text[], $12::uuid[], $13::integer[])
     with ordinality as told (act_id, kind, learner_id, achievement_id, badge_id, reason, evidence, actor, asked_at,
                              done_at, refusal, job_id, line, place)
order by place
on conflict (act_id) do update
    set badge_id = excluded.badge_id, reason = excluded.reason, evidence = excluded.evidence, actor = excluded.actor,
        asked_at = excluded.asked_at, done_at = excluded.done_at, refusal = excluded.refusal,
        job_id = excluded.job_id, line = excluded.line;

-- name: settle_triggers
-- Facts have new places of arrival, and badges take those of the facts that completed them.
update badge set trigger_arrived = fact.arrived, trigger_traceparent = fact.traceparent
from fact
where fact.learner_id = badge.learner_id and fact.event_id = badge.trigger_event_id and badge.trigger_arrived = 0;

-- name: review_all
insert into review (learner_id)
select learner_id from learner where registered_at is not null
on conflict do nothing;

-- name: recheck_all
insert into recheck (learner_id)
select learner_id from learner where registered_at is not null
on conflict do nothing;

-- name: renumber_issuers
-- Above every number that the catalogue in a worker's memory may have, so that it is read anew.
update issuer set revision = revision + $1;

-- name: renumber_achievements
update achievement set revision = revision + $1;

-- name: renumber_catalogue
update catalogue_revision set revision = revision + $1, changed_by = pg_current_xact_id();

-- name: renumber_next
select setval('catalogue_revision_number', (select max(revision) + 1 from catalogue_revision), false);

-- name: note_restored
insert into restored (only_row) values (true) on conflict do nothing;

-- name: waiting_reviews
select locked.learner_id
from (select learner_id from review order by learner_id) review
cross join lateral (
    select learner_id from learner where learner.learner_id = review.learner_id for no key update skip locked
) locked
limit $1;

-- name: done_reviewing
delete from review where learner_id = any($1::text[]);

-- name: last_words
-- The last in time of what each learner's state follows from: the cause of what may have to change.
select learner.learner_id, said.cause_id, said.occurred_at, said.traceparent
from unnest($1::text[]) as learner (learner_id)
cross join lateral (
    select event_id as cause_id, occurred_at, traceparent from fact where fact.learner_id = learner.learner_id
    union all
    select voided_by, occurred_at, null from voided where voided.learner_id = learner.learner_id
    order by occurred_at desc, cause_id desc
    limit 1
) said;
