-- name: keep_rehearsals
-- The last word on each draft, whatever the order in which they are heard.
insert into rehearsal as known (achievement_id, digest, rehearsed_at, content)
select distinct on (achievement_id, digest) achievement_id, digest, rehearsed_at, content
from unnest($1::text[], $2::text[], $3::timestamptz[], $4::bytea[])
    as told (achievement_id, digest, rehearsed_at, content)
order by achievement_id, digest, rehearsed_at desc
on conflict (achievement_id, digest) do update
set rehearsed_at = excluded.rehearsed_at, content = excluded.content
where excluded.rehearsed_at >= known.rehearsed_at;

-- name: rehearsal
select content from rehearsal where achievement_id = $1 and digest = $2;

-- name: rehearsals_of
select content from rehearsal where achievement_id = $1 order by rehearsed_at desc limit 100;

-- name: keep_override
insert into rehearsal_override (achievement_id, version, reason, refusal, overridden_by, overridden_at)
values ($1, $2, $3, $4, $5, $6);

-- name: overrides_of
select version, reason, refusal, overridden_by, overridden_at from rehearsal_override
where achievement_id = $1 order by version desc limit 100;
