-- What awarding says of badges of other issuers.

-- name: keep_import_words
-- The last word on each wins, by (time, event id). Of those who were erased since, nothing is kept (B7).
insert into import_word (import_id, learner_id, state, cause, detail, digest, told_at, event_id)
select distinct on (import_id) import_id, learner_id, state, cause, detail, digest, told_at, event_id
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::uuid[])
     as told (import_id, learner_id, state, cause, detail, digest, told_at, event_id)
where not exists (
    select from erased_learner
    where erased_learner.learner_id = told.learner_id and erased_learner.erased_at >= told.told_at
)
order by import_id, told_at desc, event_id desc
on conflict (import_id) do update
set state = excluded.state, cause = excluded.cause, detail = excluded.detail, digest = excluded.digest,
    told_at = excluded.told_at, event_id = excluded.event_id
where (import_word.told_at, import_word.event_id) < (excluded.told_at, excluded.event_id);

-- name: erase_import_words
delete from import_word where learner_id = any($1::text[]);

-- name: pushed_badges
select pushed.credential_id, content, is_token, kept_at, pushed.push_id, pushed.digest,
       word.state, word.cause, word.detail, word.digest as told_digest, word.told_at
from pushed_badge pushed left join import_word word on word.import_id = pushed.push_id
where pushed.learner_id = $1 order by kept_at desc, credential_id limit $2;
