-- name: list_dead_letters
select id, topic, partition, record_offset, recorded_at, event_id, type, stage, reason, attempts, state
from dead_letter
where ($1::text[] is null or state = any($1)) and id > $2
order by id
limit $3;

-- name: dead_letter
select id, topic, partition, record_offset, recorded_at, event_id, type, stage, reason, attempts, state,
       sent_at, key, value, header_names, header_values, traceparent
from dead_letter
where id = $1;

-- name: audit_of
select happened_at, action, by, reason from dead_letter_audit where dead_letter_id = $1 order by id;

-- name: request
update dead_letter set state = $2 where id = $1 and state = 'waiting' returning id;

-- name: next_requested
select id, topic, partition, record_offset, sent_at, key, value, header_names, header_values, was_seen, attempts, state,
       traceparent
from dead_letter
where state in ('resend', 'discard')
order by id
limit 1
for update skip locked;

-- name: close_dead_letter
update dead_letter set state = $2 where id = $1;

-- name: note_failed_again
update dead_letter set state = 'waiting', stage = $2, reason = $3, attempts = attempts + $4
where id = $1 and state = 'resend';

-- name: next_released_key
-- A key whose dead letter is settled. Locked, so that a batch that would park another event of it waits.
select parked_key.topic, parked_key.key
from parked_key
join dead_letter on dead_letter.id = parked_key.dead_letter_id
where dead_letter.state in ('handled', 'discarded')
order by parked_key.since
limit 1
for update of parked_key skip locked;

-- name: parked_events
select id, topic, key, partition, record_offset, sent_at, value, header_names, header_values
from parked
where topic = $1 and key = $2
order by id
limit $3;

-- name: remove_parked
delete from parked where id = any($1::bigint[]);

-- name: hold_key
update parked_key set dead_letter_id = $3, since = now() where topic = $1 and key = $2;

-- name: release_key
delete from parked_key where topic = $1 and key = $2;

-- name: delivery_positions
select topic, partition, next_offset, updated_at from consumed order by topic, partition;

-- name: delivery_backlog
-- Counting stops at 100,000 rows: past that the exact number helps nobody, and counting would cost.
select (select count(*) from (select from outbox limit 100000) as unsent) as outbox_rows,
       coalesce(extract(epoch from now() - (select created_at from outbox order by id limit 1)), 0)::float8
           as oldest_unsent_seconds,
       (select count(*) from dead_letter where state in ('waiting', 'resend', 'discard')) as open_dead_letters,
       (select count(*) from parked_key) as parked_keys,
       (select count(*) from (select from parked limit 100000) as waiting) as parked_events;

-- name: beat
insert into worker_heartbeat (worker, state, lag_records) values ($1, $2, $3)
on conflict (worker) do update set beat_at = now(), state = excluded.state, lag_records = excluded.lag_records,
    started_at = case when $2 = 'started' then now() else worker_heartbeat.started_at end;

-- name: heartbeats
select worker, state, started_at, beat_at, lag_records, extract(epoch from now() - beat_at)::float8 as age_seconds
from worker_heartbeat
where beat_at > now() - interval '1 day'
order by worker;

-- name: add_audit
insert into dead_letter_audit (dead_letter_id, action, by, reason) values ($1, $2, $3, $4);
