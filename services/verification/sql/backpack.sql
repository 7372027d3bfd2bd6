-- What a learner has, as the Open Badges 3.0 API tells it: our own badges, and those that were pushed.

-- name: credentials
select content, is_token from (
    select credential as content, false as is_token, issued_at, badge_id::text as name
    from badge where learner_id = $1 and issued_at > $2
    union all
    select content, is_token, issued_at, credential_id
    from pushed_badge where learner_id = $1 and issued_at > $2
) as held
order by issued_at desc, name limit $3 offset $4;

-- name: credentials_count
select (select count(*) from badge where learner_id = $1 and issued_at > $2)
     + (select count(*) from pushed_badge where learner_id = $1 and issued_at > $2);

-- name: keep_pushed_badge
-- For whom a program may keep things still: an erasure ends that, and waits for what is being kept (B7).
with known as (
    select digest from pushed_badge where learner_id = $1 and credential_id = $2
)
insert into pushed_badge (learner_id, credential_id, content, is_token, issued_at, kept_at, push_id, digest)
select $1, $2, $3, $4, $5, $6, $7, $8
where exists (select from oauth_grant where learner_id = $1 and ended_at is null for share)
on conflict (learner_id, credential_id) do update
set content = excluded.content, is_token = excluded.is_token, issued_at = excluded.issued_at,
    kept_at = excluded.kept_at, push_id = excluded.push_id, digest = excluded.digest
returning (xmax = 0) as added, (select digest from known) is distinct from pushed_badge.digest as is_other;

-- name: pushed_count
select count(*) from pushed_badge where learner_id = $1;

-- name: profile
select document from learner_profile where learner_id = $1;

-- name: keep_profile
insert into learner_profile (learner_id, document, kept_at)
select $1, $2, $3
where exists (select from oauth_grant where learner_id = $1 and ended_at is null for share)
on conflict (learner_id) do update set document = excluded.document, kept_at = excluded.kept_at
returning learner_id;

-- name: forget_pushed_badge
delete from pushed_badge where learner_id = $1 and credential_id = $2;
