-- name: lock_log
select pg_advisory_xact_lock(7410001);

-- name: log_size
select coalesce(max(size), 0) from log_checkpoint;

-- name: log_nodes
select level, number, hash from log_node
where (level, number) in (select * from unnest($1::smallint[], $2::bigint[]));

-- name: keep_nodes
insert into log_node (level, number, hash) select * from unnest($1::smallint[], $2::bigint[], $3::bytea[]);

-- name: keep_entries
insert into log_entry (log_index, badge_id, entry, salt)
select $1 + place - 1, badge_id, entry, salt
from unnest($2::uuid[], $3::bytea[], $4::bytea[]) with ordinality as told (badge_id, entry, salt, place);

-- name: keep_checkpoint
insert into log_checkpoint (size, note, verifier_key, logged_at) values ($1, $2, $3, $4);

-- name: latest_checkpoint
select size, note, verifier_key, logged_at from log_checkpoint order by size desc limit 1;

-- name: log_keys
-- The keys that ever signed a head, that of the newest head first: from key to key over the index.
with recursive signing as (
    (select verifier_key, size from log_checkpoint order by verifier_key, size desc limit 1)
    union all
    select next.verifier_key, next.size
    from signing
    cross join lateral (
        select verifier_key, size from log_checkpoint
        where log_checkpoint.verifier_key > signing.verifier_key
        order by verifier_key, size desc limit 1
    ) next
)
select verifier_key from signing order by size desc;

-- name: checkpoint_at
select size, note, verifier_key, logged_at from log_checkpoint where size = $1;

-- name: first_checkpoint_with
-- The earliest head that holds the entry: when it was logged.
select size, note, verifier_key, logged_at from log_checkpoint where size > $1 order by size limit 1;

-- name: entry_of
select log_index, entry, salt from log_entry where badge_id = $1;

-- name: logged_at
-- When each badge was logged, of those that were.
select log_entry.badge_id, head.logged_at
from unnest($1::uuid[]) as asked (badge_id)
join log_entry on log_entry.badge_id = asked.badge_id
cross join lateral (
    select logged_at from log_checkpoint where size > log_entry.log_index order by size limit 1
) head;
