-- name: take_positions
-- A sequence gives each position once, and no transaction waits for another; what a rollback took stays unused.
select array(select nextval('status_position') from generate_series(1, $1::integer)) as positions;

-- name: next_position
select last_value + is_called::integer from status_position;

-- name: known_lists
select issuer_id, number, purpose from status_list where issuer_id = any($1::text[]);

-- name: keep_new_lists
insert into status_list (list_id, issuer_id, number, purpose, revision, signed_at, valid_until)
select list_id, issuer_id, number, purpose, 1, now(), $5
from unnest($1::text[], $2::text[], $3::integer[], $4::text[]) as told (list_id, issuer_id, number, purpose)
order by list_id
on conflict do nothing
returning list_id;

-- name: note_due
-- Lists that badges name whose state has changed.
insert into status_due (issuer_id, number)
select distinct issuer_id, status_list from badge
where badge_id = any($1::uuid[]) and status_list is not null;

-- name: note_due_issuer
insert into status_due (issuer_id, number)
select distinct issuer_id, number from status_list where issuer_id = $1;

-- name: note_due_old
-- Lists that were signed long ago: they are signed anew before they end.
insert into status_due (issuer_id, number)
select distinct issuer_id, number from status_list
where signed_at < now() - $1::double precision * interval '1 second';

-- name: take_due
delete from status_due
where place in (select place from status_due order by place limit $1 for update skip locked)
returning issuer_id, number;

-- name: lock_lists
-- In order, so that two workers never wait for each other; who waited sees in the next statement what the other saw.
select list.list_id, list.issuer_id, list.number, list.purpose, list.revision, now() as now
from status_list list
join (select distinct issuer_id, number from unnest($1::text[], $2::integer[]) as due (issuer_id, number)) due
    on due.issuer_id = list.issuer_id and due.number = list.number
order by list.list_id
for no key update of list;

-- name: withdrawn
-- The indices of the badges and records of these lists that do not hold, with their states.
select issuer_id, number, state, array_agg(index) as indices
from (
    select badge.issuer_id, badge.status_list as number, badge.state, badge.status_index as index
    from unnest($1::text[], $2::integer[]) as due (issuer_id, number)
    join badge on badge.issuer_id = due.issuer_id and badge.status_list = due.number and badge.state <> 0
    union all
    select part.issuer_id, part.status_list, part.state, part.status_index
    from unnest($1::text[], $2::integer[]) as due (issuer_id, number)
    join record_part part on part.issuer_id = due.issuer_id and part.status_list = due.number and part.state <> 0
) withdrawn
group by issuer_id, number, state;

-- name: keep_lists
update status_list set revision = told.revision, signed_at = now(), valid_until = $3
from unnest($1::text[], $2::integer[]) as told (list_id, revision)
where status_list.list_id = told.list_id;

-- name: restore_lists
insert into status_list (list_id, issuer_id, number, purpose, revision, signed_at, valid_until)
select distinct on (list_id) list_id, issuer_id, number, purpose, revision, to_timestamp(0), to_timestamp(0)
from unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::integer[])
    as told (list_id, issuer_id, number, purpose, revision)
order by list_id, revision desc
on conflict (list_id) do update set revision = excluded.revision where status_list.revision < excluded.revision;

-- name: restored_places
select status_list as number, status_index as index from badge where status_list is not null
union all
select status_list, status_index from record_part;

-- name: resume_positions
select setval('status_position', greatest((select last_value from status_position), $1::bigint));
