-- What verification told on its own topic, kept again by a fresh database; see handlers/restoring.py.

-- name: is_restored
select exists (select from restored);

-- name: note_restored
insert into restored (only_row) values (true) on conflict do nothing;

-- name: remember_pushes
-- As the topic tells them. What was pushed since then stays.
insert into pushed_badge (learner_id, credential_id, content, is_token, issued_at, kept_at, push_id, digest, told_at)
select learner_id, credential_id, content, is_token, issued_at, pushed_at, push_id, digest, pushed_at
from unnest($1::text[], $2::text[], $3::bytea[], $4::boolean[], $5::timestamptz[], $6::timestamptz[], $7::uuid[],
            $8::text[])
     as told (learner_id, credential_id, content, is_token, issued_at, pushed_at, push_id, digest)
on conflict (learner_id, credential_id) do update
set content = excluded.content, is_token = excluded.is_token, issued_at = excluded.issued_at,
    kept_at = excluded.kept_at, push_id = excluded.push_id, digest = excluded.digest, told_at = excluded.told_at
where pushed_badge.kept_at < excluded.kept_at;

-- name: drop_pushes
delete from pushed_badge where push_id = any($1::uuid[]);

-- name: erase_remembered
-- Of who was erased, all that was pushed until then; and what came later too, unless they were registered again.
delete from pushed_badge using erased_learner erased
where erased.learner_id = pushed_badge.learner_id
  and (pushed_badge.kept_at <= erased.erased_at
       or coalesce(erased.registered_at, '-infinity') <= erased.erased_at)
returning pushed_badge.push_id, erased.erased_at;
