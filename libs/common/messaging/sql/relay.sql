-- name: try_to_lead
-- A session lock: it lasts as long as this connection, on which every statement of the leader runs.
select pg_try_advisory_lock(720141823, $1);

-- name: batch_in_flight
select position, outbox_ids from relay_batch where shard = $1;

-- name: rows_in_flight
select id, topic, key, value, event_id, type, source, subject, time, traceparent, header_names, header_values,
       created_at
from outbox
where id = any($1::bigint[])
order by id;

-- name: delete_sent
delete from outbox where id = any($1::bigint[]);

-- name: next_rows
select id, topic, key, value, event_id, type, source, subject, time, traceparent, header_names, header_values,
       created_at
from outbox
order by id
limit $1;

-- name: begin_batch
update relay_batch set position = position + 1, outbox_ids = $2 where shard = $1 returning position;

-- name: end_batch
update relay_batch set outbox_ids = '{}' where shard = $1;
