-- name: signed_assertion
-- One row for each badge of the learner, whether its signed form was asked for or not.
select signed.token, signed.refusal, key.revoked_at is not null as is_undermined
from badge left join signed_assertion as signed using (badge_id)
left join signing_key as key on key.issuer_id = badge.issuer_id and key.key_id = signed.key_id
where badge.badge_id = $1 and badge.learner_id = $2;

-- name: ask_assertion
insert into signed_assertion (badge_id, learner_id, asked_at) values ($1, $2, now())
on conflict (badge_id) do update set asked_at = excluded.asked_at, refusal = null, token = null, key_id = null
where signed_assertion.refusal is not null or exists (
    select from badge join signing_key as key using (issuer_id)
    where badge.badge_id = signed_assertion.badge_id and key.key_id = signed_assertion.key_id
      and key.revoked_at is not null
);

-- name: waiting_assertions
select badge_id, signed.learner_id, badge.issuer_id, badge.open_badge_2, badge.state
from signed_assertion as signed join badge using (badge_id)
where signed.token is null and signed.refusal is null
order by signed.asked_at limit $1
for no key update of signed skip locked;

-- name: keep_assertions
update signed_assertion as signed set token = made.token, key_id = made.key_id, refusal = made.refusal
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as made (badge_id, token, key_id, refusal)
where signed.badge_id = made.badge_id;

-- name: forget_assertions
delete from signed_assertion where learner_id = any($1::text[]);

-- name: remember_assertions
-- As they were told; nothing of learners who were erased.
insert into signed_assertion (badge_id, learner_id, asked_at, token, key_id)
select distinct on (badge_id) badge_id, learner_id, told_at, token, key_id
from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[])
     as told (badge_id, learner_id, told_at, token, key_id)
where not exists (
    select from learner where learner.learner_id = told.learner_id and learner.erased_at is not null
)
order by badge_id, told_at desc
on conflict (badge_id) do update
set asked_at = excluded.asked_at, token = excluded.token, key_id = excluded.key_id, refusal = null
where excluded.asked_at > signed_assertion.asked_at;
