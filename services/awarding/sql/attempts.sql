-- What there is to know of many attempts at one thing, at the cost of few; see handlers/attempts.py.

-- name: telling_facts
-- Of each learner's facts about one thing in a span of time: the first, the last and the best that count (by the
-- indexes fact_when and fact_best), and of imported badges all. A span has no end where its ends are null; `before` is
-- a place of arrival, from which on facts are left out.
select span.learner_id, found.kind, found.object_id, found.event_id, found.arrived, found.occurred_at, found.points,
       found.out_of, found.traceparent, found.digest
from unnest($1::text[], $2::smallint[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bigint[])
     as told (learner_id, kind, object_id, since, until, before)
cross join lateral (
    select learner_id, kind, object_id, coalesce(since, '-infinity') as since, coalesce(until, 'infinity') as until,
           coalesce(before, 9223372036854775807) as before
    offset 0
) span
cross join lateral (
    (select * from fact
     where fact.learner_id = span.learner_id and fact.object_id = span.object_id and fact.kind = span.kind
       and fact.occurred_at >= span.since and fact.occurred_at < span.until
       and fact.voided_by is null and fact.arrived < span.before
     order by occurred_at, event_id limit 1)
    union all
    (select * from fact
     where fact.learner_id = span.learner_id and fact.object_id = span.object_id and fact.kind = span.kind
       and fact.occurred_at >= span.since and fact.occurred_at < span.until
       and fact.voided_by is null and fact.arrived < span.before
     order by occurred_at desc, event_id desc limit 1)
    union all
    (select * from (
         select * from fact
         where fact.learner_id = span.learner_id and fact.object_id = span.object_id and fact.kind = span.kind
           and fact.voided_by is null and fact.kind = 2
         order by case when points < 0 then -1 else div(points * 1000000000000, out_of) end desc
         offset 0
     ) falling
     where falling.occurred_at >= span.since and falling.occurred_at < span.until and falling.arrived < span.before
     limit 1)
    union all
    (select * from fact
     where span.kind = 4 and fact.learner_id = span.learner_id and fact.object_id = span.object_id
       and fact.kind = span.kind and fact.occurred_at >= span.since and fact.occurred_at < span.until
       and fact.voided_by is null and fact.arrived < span.before)
) found;

-- name: named_facts
-- Facts that count of each learner about one thing, by the ids of their events (one text with spaces between).
select named.learner_id, found.kind, found.object_id, found.event_id, found.arrived, found.occurred_at, found.points,
       found.out_of, found.traceparent, found.digest
from unnest($1::text[], $2::smallint[], $3::text[], $4::text[]) as named (learner_id, kind, object_id, event_ids)
cross join lateral (
    select * from fact
    where fact.learner_id = named.learner_id and fact.object_id = named.object_id and fact.kind = named.kind
      and fact.event_id = any(string_to_array(named.event_ids, ' ')::uuid[])
    offset 0
) found
-- Asked outside, so that the index of those that count, which is by time, is not led through for it.
where found.voided_by is null
order by found.arrived;
