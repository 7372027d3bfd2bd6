-- name: try_to_log
-- One worker gives out places at a time.
select pg_try_advisory_xact_lock(7310003);

-- name: unlogged_badges
select unlogged.badge_id, badge.digest from unlogged join badge using (badge_id) order by unlogged.place limit $1;

-- name: log_head
select size, peaks from log_head for update;

-- name: keep_logged
insert into logged (log_index, badge_id, entry)
select $1 + place - 1, badge_id, entry
from unnest($2::uuid[], $3::bytea[]) with ordinality as told (badge_id, entry, place);

-- name: keep_log_head
update log_head set size = $1, peaks = $2;

-- name: done_logging
delete from unlogged where badge_id = any($1::uuid[]);

-- name: drop_logged
-- A restored badge waits for a place although it has one.
delete from unlogged using logged where logged.badge_id = unlogged.badge_id;
