-- name: try_to_restore
select pg_try_advisory_lock(720141824);

-- name: end_restoring
select pg_advisory_unlock(720141824);

-- name: make_beside
create schema if not exists cairn_rebuilt;

-- name: seed_statement
select format('insert into cairn_rebuilt.%1$I overriding system value select * from public.%1$I on conflict do nothing',
              $1::text);

-- name: drop_before
drop schema if exists cairn_before cascade;

-- name: limit_lock_wait
set local lock_timeout = '30s';

-- name: hold_statement
-- Readers go on; who would decide anything waits.
select 'lock table ' || string_agg(format('public.%I', name), ', ') || ' in exclusive mode'
from unnest($1::text[]) as name;

-- name: untold
select count(*) from public.outbox;

-- name: hold_relay
-- No message waits, so the relay has nothing in hand; it finds the tables in their new place.
lock table public.outbox, public.relay_batch in access exclusive mode;

-- name: behind
-- Partitions in which the rebuilt tables know less than those that serve: their worker would not look back.
select count(*)
from public.consumed
left join cairn_rebuilt.consumed as rebuilt using (topic, partition)
where consumed.topic = any($1::text[]) and coalesce(rebuilt.next_offset, 0) < consumed.next_offset;

-- name: handled
-- How far those who serve have come.
select topic, partition, next_offset from public.consumed where topic = any($1::text[]);

-- name: ahead
-- Partitions in which the rebuilt tables know more than those that serve, unless these were lost.
select count(*)
from cairn_rebuilt.consumed as rebuilt
left join public.consumed using (topic, partition)
where rebuilt.topic = any($1::text[]) and rebuilt.next_offset > coalesce(consumed.next_offset, 0)
  and exists (select from public.consumed as any_of_them where any_of_them.topic = any($1::text[]));

-- name: count_statement
select format('select (select count(*) from public.%1$I), (select count(*) from cairn_rebuilt.%1$I)', $1::text);

-- name: put_in_place
alter schema public rename to cairn_before;
alter schema cairn_rebuilt rename to public;
grant usage on schema public to public;

-- name: drop_retold
-- What re-reading told a second time: every dead letter was told before, and of tables that serve every tombstone too.
-- Not those of a database that is lost, which had not heard of learners: they may have been lost with it untold, and what
-- they erase would stay on its topic for good (B7). Dead letters are told with headers of their own.
delete from public.outbox
where value is not null or header_names is not null
   or exists (select from cairn_before.consumed where topic = any($1::text[]) and next_offset > 0);

-- name: take_over_position
update public.relay_batch set position = greatest($1, before.position)
from cairn_before.relay_batch as before
where before.shard = relay_batch.shard;

-- name: tables_that_serve
-- Every table, and those that it refers to.
select tables.table_name as name,
       array(select distinct confrelid::regclass::text from pg_constraint
             where conrelid = format('public.%I', tables.table_name)::regclass and contype = 'f') as refers_to
from information_schema.tables
where tables.table_schema = 'public' and tables.table_type = 'BASE TABLE'
order by tables.table_name;

-- name: carry_statements
-- What was kept by no topic goes along, unless there is none.
select format('delete from public.%1$I where exists (select from cairn_before.%1$I)', $1::text),
       format('insert into public.%1$I overriding system value select * from cairn_before.%1$I'
              ' where not exists (select from public.%1$I)', $1::text);

-- name: count_on
-- No number is given out twice.
select setval(format('public.%I', before.sequencename)::regclass, greatest(before.last_value, rebuilt.last_value))
from pg_sequences as before
join pg_sequences as rebuilt on rebuilt.schemaname = 'public' and rebuilt.sequencename = before.sequencename
where before.schemaname = 'cairn_before' and before.last_value is not null;
