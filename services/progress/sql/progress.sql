-- name: known_learners
select learner_id from learner where learner_id = any($1::text[]);

-- name: mapped_objects
select kind, object_id from mapped_object where object_id = any($1::text[]);

-- name: share_learner_lock
-- Held by whoever parks events, until it commits: no learner appears meanwhile, so none is missed.
select pg_advisory_xact_lock_shared(4208141001);

-- name: take_learner_lock
-- Held by whoever makes learners known or forgets them. Waits for those who park, and they for this.
select pg_advisory_xact_lock(4208141001);

-- name: keep_events
-- In order of id, so that two batches with the same events cannot wait for each other.
insert into event (event_id, type, learner_id, object_id, occurred_at, sender, source, source_id, traceparent,
                   unmapped, body)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[],
                     $8::text[], $9::text[], $10::boolean[], $11::bytea[]) as arrived (event_id)
order by event_id
on conflict (event_id) do nothing
returning event_id;

-- name: differing_events
-- Which of the given events are kept with another body. `position` is the caller's.
select arrived.position
from unnest($1::integer[], $2::uuid[], $3::text[], $4::timestamptz[], $5::bytea[])
         as arrived (position, event_id, type, occurred_at, body)
join event using (event_id)
where (event.type, event.occurred_at, event.body) is distinct from (arrived.type, arrived.occurred_at, arrived.body);

-- name: park_events
insert into parked_event (event_id, learner_id) select * from unnest($1::uuid[], $2::text[]);

-- name: release_parked_events
with released as (
    delete from parked_event where learner_id = any($1::text[]) returning sequence, event_id
)
select event.event_id, event.type, event.learner_id, event.object_id, event.occurred_at, event.sender, event.source,
       event.source_id, event.traceparent, event.body
from released join event using (event_id)
order by released.sequence;

-- name: learn_learners
-- In order of id, so that two workers cannot wait for each other.
insert into learner (learner_id) select learner_id from unnest($1::text[]) as learner_id order by learner_id
on conflict (learner_id) do nothing
returning learner_id;

-- name: forget_learners
delete from learner where learner_id = any($1::text[]);

-- name: forget_events
delete from event where learner_id = any($1::text[]);

-- name: forget_enrollments
delete from enrollment where learner_id = any($1::text[]);

-- name: forget_badges
delete from badge where learner_id = any($1::text[]);

-- name: map_objects
insert into mapped_object (kind, object_id)
select distinct kind, object_id from unnest($1::text[], $2::text[]) as found (kind, object_id)
order by object_id, kind
on conflict do nothing;

-- name: keep_enrollments
insert into enrollment as known (learner_id, offer_id, status, occurred_at, event_id)
select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::uuid[])
    as told (learner_id, offer_id, status, occurred_at, event_id)
order by learner_id, offer_id
on conflict (learner_id, offer_id) do update
set status = excluded.status, occurred_at = excluded.occurred_at, event_id = excluded.event_id
where (excluded.occurred_at, excluded.event_id) > (known.occurred_at, known.event_id);

-- name: keep_badges
-- The newest state wins, whatever the order; what the badge is of never changes.
insert into badge as known (badge_id, learner_id, achievement_id, status, status_at, status_event_id)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::uuid[])
    as told (badge_id, learner_id, achievement_id, status, status_at, status_event_id)
order by badge_id
on conflict (badge_id) do update
set achievement_id = coalesce(known.achievement_id, excluded.achievement_id),
    status = case when (excluded.status_at, excluded.status_event_id) > (known.status_at, known.status_event_id)
                  then excluded.status else known.status end,
    status_at = greatest(excluded.status_at, known.status_at),
    status_event_id = case when excluded.status_at > known.status_at then excluded.status_event_id
                           when excluded.status_at < known.status_at then known.status_event_id
                           else greatest(excluded.status_event_id, known.status_event_id) end;

-- name: keep_milestones
insert into milestone (learner_id, achievement_id, version, step_id, name, reached_at)
select * from unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::timestamptz[])
on conflict do nothing;

-- name: milestones_of_learner
select achievement_id, version, step_id, name, reached_at from milestone
where learner_id = $1 order by reached_at, achievement_id, step_id;

-- name: forget_milestones
delete from milestone where learner_id = any($1::text[]);

-- name: keep_ends
-- An end beside the newest state: a badge may be suspended and reinstated after its time.
insert into badge as known (badge_id, learner_id, status, status_at, status_event_id, expired_at)
select badge_id, learner_id, 'issued', timestamptz '-infinity', event_id, expired_at
from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::uuid[]) as told (badge_id, learner_id, expired_at, event_id)
order by badge_id
on conflict (badge_id) do update set expired_at = excluded.expired_at;

-- name: parked_events
select parked_event.sequence, event.event_id, event.type, event.learner_id, event.object_id, event.occurred_at,
       event.received_at, event.sender, event.source, event.source_id, event.traceparent
from parked_event join event using (event_id)
where parked_event.sequence > $1
order by parked_event.sequence
limit $2;

-- name: unmapped_events
-- The mark was set on arrival; it goes away when the catalogue mentions the object. `$3` and `$4` say of which
-- kind the object of each type is.
select event.sequence, event.event_id, event.type, event.learner_id, event.object_id, event.occurred_at,
       event.received_at, event.sender, event.source, event.source_id, event.traceparent
from event
join unnest($3::text[], $4::text[]) as form (type, kind) on form.type = event.type
where event.unmapped and event.sequence > $1
  and not exists (select from mapped_object
                  where mapped_object.object_id = event.object_id and mapped_object.kind = form.kind)
order by event.sequence
limit $2;

-- name: events_of_learner
select event.event_id, event.type, event.object_id, event.occurred_at, event.body,
       exists (select from parked_event where parked_event.event_id = event.event_id) as parked
from event where learner_id = $1
order by sequence desc
limit $2;

-- name: enrollments_of_learner
select offer_id, status, occurred_at from enrollment where learner_id = $1 order by offer_id;

-- name: badges_of_learner
select badge_id, achievement_id,
       case when status = 'issued' and expired_at is not null then 'expired' else status end as status,
       case when status = 'issued' and expired_at is not null then expired_at else status_at end as status_at,
       expired_at
from badge
where learner_id = $1 and achievement_id is not null
order by achievement_id, badge_id;
