-- name: try_to_restore
select pg_try_advisory_lock(720141824);

-- name: end_restoring
select pg_advisory_unlock(720141824);
