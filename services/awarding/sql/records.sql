-- name: badges_in_record
-- The badges of one issuer that hold, oldest first, at most so many.
select badge_id, credential, valid_from from badge
where learner_id = $1 and issuer_id = $2 and state = 0
order by valid_from, badge_id limit $3;

-- name: learner_record
select record_id, badge_ids, credential, refusal from learner_record where learner_id = $1 and issuer_id = $2;

-- name: ask_record
insert into learner_record (learner_id, issuer_id, record_id, asked_at) values ($1, $2, $3, $4)
on conflict (learner_id, issuer_id) do update
set record_id = excluded.record_id, asked_at = excluded.asked_at, badge_ids = null, credential = null, refusal = null
where learner_record.badge_ids is not null or learner_record.refusal is not null;

-- name: waiting_records
select learner_id, issuer_id, record_id, asked_at from learner_record
where credential is null and refusal is null
order by asked_at limit $1
for no key update skip locked;

-- name: keep_record
update learner_record set badge_ids = $3, credential = $4, refusal = $5 where learner_id = $1 and issuer_id = $2;

-- name: forget_records
delete from learner_record where learner_id = any($1::text[]);
