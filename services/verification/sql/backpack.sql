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
-- For whom a program may keep things still: an erasure ends that, and waits for what is being kept (B7). What was told
-- of it stays noted; nobody else keeps, or tells of, the same one until this transaction ends.
insert into pushed_badge (learner_id, credential_id, content, is_token, issued_at, kept_at, push_id)
select $1, $2, $3, $4, $5, $6, $7
where exists (select from oauth_grant where learner_id = $1 and ended_at is null for share)
on conflict (learner_id, credential_id) do update
set content = excluded.content, is_token = excluded.is_token, issued_at = excluded.issued_at,
    kept_at = excluded.kept_at, push_id = excluded.push_id
returning (xmax = 0) as added;

-- name: note_told
-- It is to be told, and noted as told, if it is another than was told last, or the learner took that one back since. A
-- statement of its own: it sees what was heard until nobody else could keep the same one.
update pushed_badge pushed set digest = $3, told_at = kept_at
where learner_id = $1 and credential_id = $2
  and (digest is distinct from $3 or exists (
      select from import_word word
      where word.import_id = pushed.push_id and word.cause = 'taken-back'
        and word.told_at >= coalesce(pushed.told_at, '-infinity')
  ))
returning push_id;

-- name: hold_pushed
-- Nobody keeps these anew until what is heard of them is kept.
select from pushed_badge join unnest($1::text[], $2::uuid[]) as heard (learner_id, push_id) using (learner_id, push_id)
order by pushed_badge.push_id for update of pushed_badge;

-- name: note_told_since
-- Pushed again, the same, after the learner had taken it back and before that was heard here.
update pushed_badge pushed set told_at = kept_at
from unnest($1::text[], $2::uuid[]) as heard (learner_id, push_id), import_word word
where pushed.learner_id = heard.learner_id and pushed.push_id = heard.push_id and word.import_id = pushed.push_id
  and word.cause = 'taken-back' and word.told_at < pushed.kept_at
  and coalesce(pushed.told_at, '-infinity') <= word.told_at
returning pushed.push_id, pushed.learner_id, pushed.credential_id, pushed.content, pushed.digest, pushed.kept_at;

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
