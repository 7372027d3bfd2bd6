-- name: keep_import
insert into imported_badge (import_id, learner_id, state, brought, digest, person_kind, person_identity, is_vouched,
                            actor, asked_at, issuer, issuer_name, achievement, credential, name, standard, valid_from,
                            valid_until, checked_at, next_check_at, traceparent)
-- Who was erased while the badge was verified is waited for, and nothing is kept of them (B7).
select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21
where exists (select from learner where learner_id = $2 and erased_at is null for share)
on conflict do nothing
returning import_id;

-- name: refill_import
-- One that was remembered from the topic is brought again: from now on it can be looked at again.
update imported_badge set brought = $3, credential = $4, next_check_at = $5
where learner_id = $1 and digest = $2 and brought is null and state in ('counting', 'lost')
returning *;

-- name: import_twin
-- Whether this badge is there already: of anybody if it says what it is, else of this learner by its bytes.
select exists (
    select from imported_badge
    where state in ('genuine', 'counting', 'lost') and import_id <> $5
      and md5(issuer) = md5($2) and md5(credential) = md5($3)
) or exists (
    select from imported_badge
    where learner_id = $1 and digest = $4 and state not in ('refused', 'leaving') and import_id <> $5
      and not (is_pushed and state = 'unclear')
);

-- name: imports_of
select * from imported_badge where learner_id = $1 and state <> 'leaving' order by place;

-- name: import_count
-- What programs pushed is bounded where it is pushed.
select count(*) from imported_badge where learner_id = $1 and not is_pushed;

-- name: import
select * from imported_badge where learner_id = $1 and import_id = $2 and state <> 'leaving';

-- name: leave_import
-- What was pushed in its place goes with it; what is pushed from now on does not.
update imported_badge set state = 'leaving', checked_at = $3, next_check_at = null, later = null,
    person_kind = null, person_identity = null
where learner_id = $1 and import_id = $2 and state <> 'leaving'
returning import_id;

-- name: recheck_import
-- Whom it was awarded to may be named for one that nobody could tell about.
update imported_badge
set next_check_at = now(),
    person_kind = case when state = 'unclear' then coalesce($3::text, person_kind) end,
    person_identity = case when state = 'unclear' then coalesce($4, person_identity) end,
    cause = case when state <> 'unclear' then cause end,
    is_vouched = case when state = 'unclear' and $3::text is not null then $5 else is_vouched end
where learner_id = $1 and import_id = $2 and state in ('unclear', 'counting', 'lost')
  and (brought is not null or watch is not null)
returning import_id;

-- name: waiting_imports
-- What waits to be counted or taken out; the learners are locked now, and whom another worker has is left alone.
select imported.*, locked.email_digest
from (
    select learner_id, import_id from imported_badge where state in ('genuine', 'leaving') order by place limit $1
) waiting
cross join lateral (
    select email_digest from learner where learner.learner_id = waiting.learner_id for no key update skip locked
) locked
join imported_badge imported on imported.import_id = waiting.import_id and imported.state in ('genuine', 'leaving')
order by imported.place
for no key update of imported skip locked;

-- name: due_imports
-- What is to be looked at again; whoever takes it has some minutes before another does.
update imported_badge set next_check_at = now() + $2::double precision * interval '1 second'
from (
    select import_id from imported_badge where next_check_at <= now() order by next_check_at limit $1
    for no key update skip locked
) due
where imported_badge.import_id = due.import_id
returning imported_badge.*,
    (select email_digest from learner where learner.learner_id = imported_badge.learner_id) as email_digest,
    not is_pushed or exists (
        select from learner where learner.learner_id = imported_badge.learner_id and registered_at is not null
    ) as is_awaited;

-- name: locked_import
select imported.*
from (select learner_id from learner where learner_id = $1 for no key update) locked
join imported_badge imported on imported.learner_id = locked.learner_id
where imported.import_id = $2
for no key update of imported;

-- name: change_imports
update imported_badge known
set state = told.state, brought = told.brought, person_kind = told.person_kind,
    person_identity = told.person_identity, issuer = told.issuer, issuer_name = told.issuer_name,
    achievement = told.achievement, credential = told.credential, name = told.name, standard = told.standard,
    valid_from = told.valid_from, valid_until = told.valid_until, revision = told.revision,
    counted_by = told.counted_by, cause = told.cause, checked_at = told.checked_at,
    next_check_at = told.next_check_at, checks = told.checks, digest = told.digest, later = told.later,
    is_vouched = told.is_vouched, watch = told.watch
from unnest($1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[], $14::integer[],
            $15::uuid[], $16::text[], $17::timestamptz[], $18::timestamptz[], $19::integer[], $20::text[], $21::bytea[],
            $22::boolean[], $23::bytea[])
     as told (import_id, state, brought, person_kind, person_identity, issuer, issuer_name, achievement, credential,
              name, standard, valid_from, valid_until, revision, counted_by, cause, checked_at, next_check_at, checks,
              digest, later, is_vouched, watch)
where known.import_id = told.import_id;

-- name: drop_imports
delete from imported_badge where import_id = any($1::uuid[]);

-- name: forget_imports
delete from imported_badge
using unnest($1::text[], $2::timestamptz[]) as told (learner_id, erased_at)
where imported_badge.learner_id = told.learner_id
  and (not imported_badge.is_pushed or imported_badge.asked_at <= told.erased_at);

-- name: remember_imports
-- As the topic tells them: without the badges themselves. Of one that came to count again, the last time; revisions
-- begin anew where one that was taken back is pushed again. Nothing of those who are erased; and what was brought
-- before its learner was registered is that of somebody who had their id before, and is watched no more (B7).
insert into imported_badge as known (import_id, learner_id, state, digest, is_vouched, actor, asked_at, issuer,
                                     issuer_name, achievement, name, standard, valid_from, valid_until, revision,
                                     counted_by, checked_at, watch, next_check_at)
select distinct on (import_id) import_id, told.learner_id, 'counting', digest, false, 'topic', told_at, issuer,
       issuer_name, achievement, name, standard, valid_from, valid_until, revision, counted_by, told_at,
       case when learner.registered_at <= told_at then watch end,
       case when learner.registered_at <= told_at and watch <> '{}' then now() else valid_until end
from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::timestamptz[], $11::timestamptz[], $12::integer[], $13::uuid[], $14::bytea[])
     as told (import_id, learner_id, digest, told_at, issuer, issuer_name, achievement, name, standard, valid_from,
              valid_until, revision, counted_by, watch)
left join learner on learner.learner_id = told.learner_id
where learner.erased_at is null
order by import_id, told_at desc, revision desc, watch nulls last
on conflict (import_id) do update
    set state = 'counting', revision = excluded.revision, counted_by = excluded.counted_by, cause = null,
        checked_at = excluded.checked_at, issuer = excluded.issuer, issuer_name = excluded.issuer_name,
        achievement = excluded.achievement, name = excluded.name, standard = excluded.standard,
        valid_from = excluded.valid_from, valid_until = excluded.valid_until,
        -- What was pushed since, another than is told of, is looked at when this one counts no more.
        later = case when known.digest = excluded.digest then known.later
                     when 'sha256:' || encode(sha256(known.later), 'hex') = excluded.digest then null
                     else coalesce(known.later, known.brought) end,
        brought = case when known.digest = excluded.digest then known.brought
                       when 'sha256:' || encode(sha256(known.later), 'hex') = excluded.digest then known.later end,
        digest = excluded.digest, watch = excluded.watch,
        next_check_at = least(known.next_check_at, excluded.next_check_at)
    where known.revision = 0 or (known.checked_at, known.revision) < (excluded.checked_at, excluded.revision)
       or (known.counted_by = excluded.counted_by and known.watch is null);

-- name: counted_since
select occurred_at, traceparent from fact where learner_id = $1 and event_id = $2 and kind = 4 limit 1;

-- name: imported_objects
select fact.event_id, fact.object_id
from unnest($1::text[], $2::uuid[]) as told (learner_id, event_id)
join fact on fact.learner_id = told.learner_id and fact.event_id = told.event_id and fact.kind = 4;

-- name: withdrawn_events
select distinct on (voided.event_id) voided.event_id, voided.voided_by, voided.occurred_at
from unnest($1::text[], $2::uuid[]) as told (learner_id, event_id)
join voided on voided.learner_id = told.learner_id and voided.event_id = told.event_id and voided.kind = 4
order by voided.event_id, voided.occurred_at;

-- name: resume_pushes
-- Taken back, and pushed again since.
update imported_badge known
set state = 'unclear', cause = null, checks = 0, counted_by = null, issuer = null, is_vouched = false,
    person_kind = null, person_identity = null, brought = coalesce(known.later, known.brought), later = null,
    digest = case when known.later is null then known.digest
                  else 'sha256:' || encode(sha256(known.later), 'hex') end,
    next_check_at = now()
from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as told (import_id, counted_by, told_at)
where known.import_id = told.import_id and known.counted_by = told.counted_by
  and known.is_pushed and known.asked_at > told.told_at and coalesce(known.later, known.brought) is not null;

-- name: drop_withdrawn
-- What came to count anew since stays.
delete from imported_badge
using unnest($1::uuid[], $2::uuid[]) as told (import_id, counted_by)
where imported_badge.import_id = told.import_id and imported_badge.counted_by = told.counted_by;

-- name: drop_uncounted
delete from imported_badge
using unnest($1::uuid[], $2::timestamptz[]) as told (import_id, told_at)
where imported_badge.import_id = told.import_id and imported_badge.counted_by is null
  and imported_badge.asked_at <= told.told_at;

-- name: lose_imports
update imported_badge known set state = 'lost', cause = told.cause, counted_by = null,
    next_check_at = case when known.later is not null then now()
                         when told.cause not in ('revoked', 'expired') then known.next_check_at end
from unnest($1::uuid[], $2::text[], $3::uuid[]) as told (import_id, cause, counted_by)
where known.import_id = told.import_id and known.counted_by = told.counted_by;

-- name: keep_pushes
-- What programs pushed, to be looked at; nothing of those who were erased since (B7). Who is registered again may push
-- before that is heard: another topic tells it.
insert into imported_badge (import_id, learner_id, state, cause, brought, digest, is_vouched, actor, asked_at,
                            credential, checked_at, next_check_at, checks, traceparent, is_pushed)
select import_id, learner_id, case when cause is null then 'unclear' else 'refused' end, cause,
       case when cause is null then brought end, digest, false, 'program', pushed_at, credential, pushed_at,
       case when cause is null then now() end, 0, traceparent, true
from unnest($1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[])
     as told (import_id, learner_id, brought, digest, credential, pushed_at, cause, traceparent)
where not exists (
    select from learner where learner.learner_id = told.learner_id and erased_at >= told.pushed_at for share
)
on conflict do nothing
returning import_id;

-- name: renew_pushes
-- Pushed again: another than was there takes its place at once, or once the one that counts does so no more, or once
-- the one that was taken back is taken out. The same completes one that is remembered without the badge itself.
update imported_badge known
set state = case when known.digest <> told.digest and known.state in ('unclear', 'refused', 'lost')
                 then 'unclear' else known.state end,
    cause = case when known.digest = told.digest or known.state in ('genuine', 'counting', 'leaving')
                 then known.cause end,
    checks = case when known.digest = told.digest or known.state in ('genuine', 'counting', 'leaving')
                  then known.checks else 0 end,
    later = case when known.state = 'leaving' or known.digest <> told.digest and known.state in ('genuine', 'counting')
                 then told.brought end,
    brought = case when known.state in ('genuine', 'counting', 'leaving') and known.digest <> told.digest
                   then known.brought else told.brought end,
    digest = case when known.state in ('genuine', 'counting', 'leaving') then known.digest else told.digest end,
    issuer = case when known.digest = told.digest or known.state in ('genuine', 'counting', 'leaving')
                  then known.issuer end,
    is_vouched = known.is_vouched and (known.digest = told.digest or known.state in ('genuine', 'counting')),
    person_kind = case when known.digest = told.digest or known.state = 'genuine' then known.person_kind end,
    person_identity = case when known.digest = told.digest or known.state = 'genuine' then known.person_identity end,
    next_check_at = case when known.state <> 'leaving' then now() end,
    is_pushed = true,
    asked_at = greatest(known.asked_at, told.pushed_at)
from unnest($1::uuid[], $2::bytea[], $3::text[], $4::timestamptz[]) as told (import_id, brought, digest, pushed_at)
where known.import_id = told.import_id
  and case when known.state = 'leaving' then known.asked_at < told.pushed_at
           else known.digest <> told.digest or known.later is not null
                or (known.brought is null and known.state in ('counting', 'lost')) end;

-- name: leave_pushes
-- What was pushed is erased where it was pushed.
update imported_badge set state = 'leaving', next_check_at = null, later = null, person_kind = null, person_identity = null
where import_id = any($1::uuid[]);

-- name: wake_pushes
-- Their learners became known, perhaps by another address than before.
update imported_badge set next_check_at = now(), cause = null
where learner_id = any($1::text[]) and is_pushed and state = 'unclear' and brought is not null;
