-- name: add_partitions
insert into consumed (topic, partition, next_offset)
select topic, partition, 0 from unnest($1::text[], $2::int[]) as p (topic, partition)
on conflict do nothing;

-- name: lock_partitions
-- The fence: another worker that still handles a batch of these partitions is waited for, always in one order.
select topic, partition, next_offset
from consumed
where (topic, partition) in (select * from unnest($1::text[], $2::int[]))
order by topic, partition
for update;

-- name: next_offsets
select topic, partition, next_offset
from consumed
where (topic, partition) in (select * from unnest($1::text[], $2::int[]));

-- name: advance_partitions
update consumed
set next_offset = handled.next_offset, updated_at = now()
from unnest($1::text[], $2::int[], $3::bigint[]) as handled (topic, partition, next_offset)
where consumed.topic = handled.topic and consumed.partition = handled.partition;

-- name: rewind_partition
update consumed set next_offset = $3, updated_at = now() where topic = $1 and partition = $2;

-- name: note_seen
-- Sorted, so that two workers that see the same events wait for each other instead of deadlocking.
insert into inbox (event_id)
select id from unnest($1::uuid[]) as id order by id
on conflict do nothing
returning event_id;

-- name: forget_seen
-- A bounded number at once: a month of a large system in one statement would take minutes and hold up the vacuum.
with forgotten as (
    delete from inbox
    where ctid = any(array(select ctid from inbox where seen_at < now() - make_interval(days => $1) limit $2))
    returning 1
)
select count(*) from forgotten;

-- name: is_any_key_parked
select exists (select from parked_key);

-- name: lock_parked_keys
-- Shared with other batches, but a resend that releases one of these keys is waited for.
select parked_key.topic, parked_key.key
from parked_key
where (topic, key) in (select * from unnest($1::text[], $2::bytea[]))
order by topic, key
for share;

-- name: park_key
insert into parked_key (topic, key, dead_letter_id) values ($1, $2, $3);

-- name: park_event
insert into parked (topic, key, partition, record_offset, sent_at, value, header_names, header_values)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: add_dead_letter
with added as (
    insert into dead_letter (topic, partition, record_offset, sent_at, key, value, header_names, header_values,
                             event_id, type, traceparent, stage, reason, attempts, was_seen)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $16)
    returning id, reason
), audited as (
    insert into dead_letter_audit (dead_letter_id, action, by, reason)
    select id, 'dead-lettered', $15, reason from added
)
select id from added;

-- name: erase_parked
delete from parked where topic = any($1::text[]) and key = any($2::bytea[]);

-- name: erase_dead_letters
-- The key stays, for others may wait behind it: it is an id. The rest goes.
update dead_letter
set value = null, header_names = '{}', header_values = '{}', reason = 'erased',
    state = case when state in ('waiting', 'resend', 'discard') then 'discarded' else state end
where topic = any($1::text[]) and key = any($2::bytea[]);

-- name: tell_dead_letter
insert into outbox (topic, key, value, header_names, header_values) values ($1, $2, $3, $4, $5);

-- name: check_constraints
-- Check now what is deferred to the commit, then defer again for the events that follow.
set constraints all immediate;
set constraints all deferred;
