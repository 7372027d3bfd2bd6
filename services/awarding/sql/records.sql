-- name: record_badges
-- The learner's badges that hold and have not ended, oldest first; of each what decides where it belongs.
select badge_id, achievement_id, version, issuer_id, valid_from, valid_until, evidence_badges as stands_on,
       octet_length(credential) as size
from badge
where learner_id = $1 and state = 0 and (valid_until is null or valid_until > now())
order by valid_from, badge_id;

-- name: record_credentials
select badge_id, credential from badge where badge_id = any($1::uuid[]);

-- name: record_issuer
select published from issuer where issuer_id = $1;

-- name: learner_record
-- With whether the learner still wants the name in it that it shows.
select record.record_id, record.badge_ids, record.refusal,
       record.shown_name is not distinct from learner.shown_name as is_named
from learner_record record left join learner using (learner_id)
where record.learner_id = $1 and record.issuer_id = $2 and record.root_id is not distinct from $3;

-- name: record_parts
-- How many parts the record has, how many of them are there, and one of them.
select count(*)::integer as parts, count(credential)::integer as kept,
       max(credential) filter (where number = $2) as credential
from record_part where record_id = $1;

-- name: ask_record
insert into learner_record (learner_id, issuer_id, root_id, record_id, asked_at) values ($1, $2, $3, $4, $5)
on conflict (learner_id, issuer_id, root_id) do update
set record_id = excluded.record_id, asked_at = excluded.asked_at, badge_ids = null, shown_name = null, refusal = null
where learner_record.badge_ids is not null or learner_record.refusal is not null;

-- name: waiting_record
-- The first that waits and that no other worker signs. No row is locked, for signing takes its time: whoever erases the
-- learner meanwhile does not wait.
select learner_id, issuer_id, root_id, record_id, asked_at
from (
    select * from learner_record where badge_ids is null and refusal is null order by asked_at, record_id limit 8
) waiting
where pg_try_advisory_xact_lock(hashtextextended(record_id::text, 30))
limit 1;

-- name: finish_record
-- Unless it was asked for anew, signed by another, or forgotten meanwhile.
update learner_record set badge_ids = $5, shown_name = $6, refusal = $7
where learner_id = $1 and issuer_id = $2 and root_id is not distinct from $3 and record_id = $4
  and badge_ids is null and refusal is null
returning record_id;

-- name: drop_parts
-- What the last record of its kind said gives way to the next, and its places in the status lists stay.
update record_part set credential = null, record_id = null, number = null
where learner_id = $1 and record_id is not null and record_id not in (
    select record_id from learner_record where learner_id = $1
);

-- name: keep_parts
insert into record_part
    (part_id, learner_id, issuer_id, badge_ids, status_list, status_index, record_id, number, credential)
select part_id, learner_id, issuer_id, string_to_array(badge_ids, ' ')::uuid[], status_list, status_index, record_id,
       number, credential
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::integer[], $7::uuid[], $8::integer[],
            $9::text[])
     as told (part_id, learner_id, issuer_id, badge_ids, status_list, status_index, record_id, number, credential)
on conflict (part_id) do nothing;

-- name: settle_parts
-- Parts follow the badges in them, and their lists are to be signed anew.
with worst as (
    select part_id, (select coalesce(max(badge.state), 0) from badge where badge.badge_id = any(part.badge_ids)) as state
    from record_part part
    where part.learner_id = any($1::text[]) and part.badge_ids && $2::uuid[]
), changed as (
    update record_part set state = worst.state from worst
    where record_part.part_id = worst.part_id and record_part.state <> worst.state
    returning record_part.issuer_id, record_part.status_list
)
insert into status_due (issuer_id, number) select distinct issuer_id, status_list from changed;

-- name: settle_all_parts
update record_part set state = worst.state
from (
    select part_id, coalesce(max(badge.state), 0) as state
    from record_part part join badge on badge.badge_id = any(part.badge_ids)
    group by part_id
) worst
where record_part.part_id = worst.part_id and record_part.state <> worst.state;

-- name: forget_records
delete from learner_record where learner_id = any($1::text[]);

-- name: forget_records_of_issuer
delete from learner_record where issuer_id = $1;

-- name: empty_parts
update record_part set credential = null, record_id = null, number = null
where learner_id = any($1::text[]) and record_id is not null;
