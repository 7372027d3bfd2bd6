-- name: share_catalogue
-- Held to the end of the transaction: no achievement is published while facts are being decided on, so a
-- publication sees all facts that were decided without it, and later facts see the publication.
--
-- The settings end with the transaction too. Every statement here looks a batch's keys up in an index, which is right
-- at any size of the tables. Plans made while a table was small would scan it, and are kept while it grows. For the
-- same reason the statements look up key by key, in sub-selects that the planner must not turn into joins (offset 0),
-- and take the first of an order from an index instead of sorting all.
select pg_advisory_xact_lock_shared(7310001), set_config('enable_seqscan', 'off', true),
       set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
       set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true);

-- name: lock_catalogue
select pg_advisory_xact_lock(7310001);

-- name: catalogue_revision
select revision, coalesce(changed_by = pg_current_xact_id_if_assigned(), false) as uncommitted
from catalogue_revision;

-- name: next_revision
update catalogue_revision set revision = nextval('catalogue_revision_number'), changed_by = pg_current_xact_id()
returning revision;

-- name: issuers_since
select issuer_id, published from issuer where revision > $1 order by revision, issuer_id;

-- name: achievements_since
select achievement_id, version, published from achievement where revision > $1
order by revision, achievement_id, version;

-- name: keep_issuers
insert into issuer (issuer_id, revision, published)
select issuer_id, $1, published from unnest($2::text[], $3::text[]) as told (issuer_id, published)
on conflict (issuer_id) do update set revision = excluded.revision, published = excluded.published;

-- name: keep_achievements
-- A version that is known stays as it was published.
insert into achievement (achievement_id, version, revision, published)
select achievement_id, version, $1, published
from unnest($2::text[], $3::integer[], $4::text[]) as told (achievement_id, version, published)
on conflict (achievement_id, version) do nothing
returning achievement_id, version;

-- name: recheck_mentioned
-- Whoever has a fact or a badge that the newly published achievements mention.
insert into recheck (learner_id)
select distinct fact.learner_id
from unnest($1::smallint[], $2::text[]) as mentioned (kind, object_id)
cross join lateral (
    select distinct learner_id from fact
    where hashtextextended(fact.object_id, 0) = hashtextextended(mentioned.object_id, 0)
      and fact.object_id = mentioned.object_id and fact.kind = mentioned.kind
    offset 0
) fact
union
select badge.learner_id
from unnest($3::text[]) as mentioned (achievement_id)
cross join lateral (
    select learner_id from badge
    where hashtextextended(badge.achievement_id, 0) = hashtextextended(mentioned.achievement_id, 0)
      and badge.achievement_id = mentioned.achievement_id
    offset 0
) badge
order by 1
on conflict (learner_id) do nothing;

-- name: recheck_learners
insert into recheck (learner_id) select unnest($1::text[]) order by 1 on conflict (learner_id) do nothing;

-- name: waiting_learners
-- Lock the learners before their rows of the backlog are touched, and leave alone whom another worker has.
select locked.learner_id
from (select learner_id from recheck where due_at <= now() order by due_at, learner_id) recheck
cross join lateral (
    select learner_id from learner where learner.learner_id = recheck.learner_id for no key update skip locked
) locked
limit $1;

-- name: done_rechecking
delete from recheck where learner_id = any($1::text[]);

-- name: postpone_recheck
update recheck set due_at = now() + $2::double precision * interval '1 second' where learner_id = any($1::text[]);

-- name: recheck_depth
select count(*) from recheck;

-- name: registered_of
select learner_id, unsettled from learner where learner_id = any($1::text[]) and registered_at is not null;

-- name: mentioned_by
-- What the learners' histories speak of: each object once, however many attempts there are.
select distinct learner_id, kind, object_id from fact
where learner_id = any($1::text[]) and voided_by is null;

-- name: achievements_held_by
select learner_id, achievement_id from badge where learner_id = any($1::text[]) and not is_over;

-- name: register_learners
-- Answers whom awarding had met before in a fact: they are looked at again.
with known as (select learner_id from learner where learner_id = any($1::text[]) and registered_at is not null)
insert into learner (learner_id, registered_at, email_digest, shown_name)
select * from unnest($1::text[], $2::timestamptz[], $3::bytea[], $4::text[])
              as told (learner_id, registered_at, email_digest, shown_name)
order by learner_id
on conflict (learner_id) do update
    set registered_at = coalesce(learner.registered_at, excluded.registered_at), erased_at = null,
        email_digest = excluded.email_digest, shown_name = excluded.shown_name
    where learner.registered_at is null
       or (learner.email_digest, learner.shown_name) is distinct from (excluded.email_digest, excluded.shown_name)
returning learner_id,
          xmax <> 0 and not exists (select from known where known.learner_id = learner.learner_id) as met_before;

-- name: shown_names
select learner_id, shown_name from learner where learner_id = any($1::text[]) and shown_name is not null;

-- name: erase_learners
insert into learner (learner_id, erased_at)
select learner_id, erased_at from unnest($1::text[], $2::timestamptz[]) as told (learner_id, erased_at)
order by learner_id
on conflict (learner_id) do update
set registered_at = null, erased_at = greatest(learner.erased_at, excluded.erased_at), unsettled = false,
    email_digest = null, shown_name = null;

-- name: erase_facts
delete from fact where learner_id = any($1::text[]);

-- name: erase_voided
delete from voided where learner_id = any($1::text[]);

-- name: erase_grounds
-- The badges stay as they are: what they stood on is forgotten on purpose.
update badge set is_grounded = false where learner_id = any($1::text[]);

-- name: erase_challenges
delete from challenge where learner_id = any($1::text[]);

-- name: erase_rechecks
delete from recheck where learner_id = any($1::text[]);

-- name: locked_learners
select learner_id, registered_at is not null as registered, erased_at is not null as erased, unsettled
from learner where learner_id = any($1::text[])
order by learner_id
for no key update;

-- name: meet_learners
insert into learner (learner_id) select unnest($1::text[]) order by 1 on conflict (learner_id) do nothing;

-- name: keep_facts
-- Answers the place of arrival at which what was kept now begins: of locked learners, all before it was there.
with kept as (
insert into fact (learner_id, kind, object_id, event_id, occurred_at, points, out_of, assessor, digest, traceparent,
                  voided_by)
select learner_id, kind, object_id, event_id, occurred_at, points, out_of, assessor, digest, traceparent,
       (select voided_by from voided where voided.learner_id = told.learner_id and voided.object_id = told.object_id
        and voided.kind = told.kind and voided.event_id = told.event_id)
from unnest($1::text[], $2::smallint[], $3::text[], $4::uuid[], $5::timestamptz[], $6::numeric[], $7::numeric[],
            $8::text[], $9::text[], $10::text[])
     with ordinality as told (learner_id, kind, object_id, event_id, occurred_at, points, out_of, assessor, digest,
                              traceparent, place)
order by place
on conflict do nothing
returning arrived
)
select min(arrived) from kept;

-- name: keep_voided
insert into voided (learner_id, kind, object_id, event_id, voided_by, occurred_at)
select * from unnest($1::text[], $2::smallint[], $3::text[], $4::uuid[], $5::uuid[], $6::timestamptz[])
on conflict do nothing;

-- name: void_facts
update fact set voided_by = found.voided_by
from (
    select place, told.voided_by
    from unnest($1::text[], $2::smallint[], $3::text[], $4::uuid[], $5::uuid[])
         as told (learner_id, kind, object_id, event_id, voided_by)
    cross join lateral (
        select ctid as place, fact.voided_by as known from fact
        where fact.learner_id = told.learner_id and fact.object_id = told.object_id and fact.kind = told.kind
          and fact.event_id = told.event_id
        offset 0
    ) voidable
    -- Asked outside, so that the index of those that count, which is by time, is not led through for it.
    where voidable.known is null
) found
where fact.ctid = found.place;

-- name: promising_facts
-- The facts of the pairs (learner, achievement) that are not awarded yet and have at least `fewest` facts about
-- what the achievement mentions. One descent of the primary key a pair: the cost depends neither on the length of
-- the learner's history nor on the size of the catalogue. A badge of an earlier version than `settled_version` may be
-- followed by another; one that ends, by what occurs from `opens_days` before its end on (null: whenever).
-- Of many facts, `most` more than it takes, that many are answered, which tells that there are more to look at.
select pair.learner_id, found.kind, found.object_id, found.event_id, found.arrived, found.occurred_at, found.points,
       found.out_of, found.traceparent, found.digest, pair.achievement_id
from unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::integer[], $6::integer[])
     as pair (learner_id, achievement_id, object_ids, fewest, settled_version, opens_days)
cross join lateral (
    select few.*, count(*) over () as many, max(few.occurred_at) over () as last_at
    from (
        select fact.kind, fact.object_id, fact.event_id, fact.arrived, fact.occurred_at, fact.points, fact.out_of,
               fact.traceparent, fact.digest
        from fact
        -- Ids hold no space. They come sorted, so that the index need not sort them for each pair again.
        where fact.learner_id = pair.learner_id and fact.object_id = any(string_to_array(pair.object_ids, ' '))
          and fact.voided_by is null
        limit pair.fewest + $7::integer
    ) few
) found
where found.many >= pair.fewest
  and not exists (select from badge where badge.learner_id = pair.learner_id
                  and badge.achievement_id = pair.achievement_id and not badge.is_over
                  and badge.version >= pair.settled_version
                  and (badge.valid_until is null
                       or found.many < pair.fewest + $7::integer and found.last_at < badge.valid_until - pair.opens_days * interval '24 hours') offset 0);

-- name: facts_about
-- The facts that count of each learner about the objects (ids that hold no space, sorted): all, or `$3` at most.
select wanted.learner_id, found.kind, found.object_id, found.event_id, found.arrived, found.occurred_at, found.points,
       found.out_of, found.traceparent, found.digest
from unnest($1::text[], $2::text[]) as wanted (learner_id, object_ids)
cross join lateral (
    select * from fact
    where fact.learner_id = wanted.learner_id and fact.object_id = any(string_to_array(wanted.object_ids, ' '))
      and fact.voided_by is null
    offset 0 limit $3::integer
) found
order by found.arrived;

-- name: held_badges
select held.learner_id, held.achievement_id, held.version, held.badge_id, held.valid_from, held.credits,
       held.trigger_event_id, held.trigger_arrived, held.trigger_traceparent, held.cycle, held.state, held.is_over,
       held.valid_until, held.is_expired, held.by_hand
from unnest($1::text[], $2::text[]) as wanted (learner_id, achievement_id)
cross join lateral (
    select badge.*, (select (published::json ->> 'credits')::numeric from achievement
                     where achievement.achievement_id = badge.achievement_id
                       and achievement.version = badge.version) as credits
    from badge
    where badge.learner_id = wanted.learner_id and badge.achievement_id = wanted.achievement_id
    offset 0
) held;

-- name: keep_badges
insert into badge (badge_id, learner_id, achievement_id, version, cycle, issuer_id, valid_from, valid_until,
                   credential, open_badge_2, digest, evidence_events, evidence_badges, trigger_event_id,
                   trigger_arrived, trigger_traceparent, traceparent, is_grounded, status_list, status_index)
select badge_id, learner_id, achievement_id, version, cycle, issuer_id, valid_from, valid_until, credential,
       open_badge_2, digest, string_to_array(evidence_events, ' ')::uuid[],
       string_to_array(evidence_badges, ' ')::uuid[], trigger_event_id, trigger_arrived, trigger_traceparent,
       traceparent, is_grounded, status_list, status_index
from unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::integer[], $6::text[], $7::timestamptz[],
            $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::uuid[],
            $15::bigint[], $16::text[], $17::text[], $18::boolean[], $19::integer[], $20::integer[])
     as told (badge_id, learner_id, achievement_id, version, cycle, issuer_id, valid_from, valid_until, credential,
              open_badge_2, digest, evidence_events, evidence_badges, trigger_event_id, trigger_arrived,
              trigger_traceparent, traceparent, is_grounded, status_list, status_index)
on conflict do nothing
returning badge_id, awarded_at;

-- name: badges_of
-- All badges of the learners, with what their state depends on.
select badge.learner_id, badge.achievement_id, badge.version, badge.badge_id, badge.valid_from,
       (select (published::json ->> 'credits')::numeric from achievement
        where achievement.achievement_id = badge.achievement_id and achievement.version = badge.version) as credits,
       badge.trigger_event_id, badge.trigger_arrived, badge.trigger_traceparent, badge.cycle, badge.state,
       badge.is_over, badge.valid_until, badge.is_expired, badge.by_hand, badge.is_grounded, badge.evidence_events, badge.evidence_badges, badge.told_at
from badge where badge.learner_id = any($1::text[])
order by badge.learner_id, badge.achievement_id, badge.cycle;

-- name: change_badges
update badge set state = changed.state, is_over = changed.is_over, told_at = changed.told_at
from (
    select place, told.state, told.is_over, told.told_at
    from unnest($1::uuid[], $2::smallint[], $3::boolean[], $4::timestamptz[])
         as told (badge_id, state, is_over, told_at)
    cross join lateral (select ctid as place from badge where badge.badge_id = told.badge_id offset 0) found
) changed
where badge.ctid = changed.place;

-- name: keep_changes
insert into badge_change (event_id, badge_id, state, reason, cause_id, told_at)
select event_id, badge_id, state, reason, cause_id, told_at
from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::text[], $5::uuid[], $6::timestamptz[])
     with ordinality as told (event_id, badge_id, state, reason, cause_id, told_at, place)
order by place
on conflict (event_id) do nothing;

-- name: settle_learners
update learner set unsettled = changed.unsettled
from (
    select place, told.unsettled
    from unnest($1::text[], $2::boolean[]) as told (learner_id, unsettled)
    cross join lateral (
        select ctid as place from learner
        where learner.learner_id = told.learner_id and learner.unsettled <> told.unsettled
        offset 0
    ) found
) changed
where learner.ctid = changed.place;

-- name: issuer_ids
select issuer_id from issuer order by issuer_id;

-- name: achievement_versions
select published from achievement where achievement_id = $1 order by version;

-- name: is_learner_known
select exists (select from learner where learner_id = $1 and erased_at is null);

-- name: badge_trail
select badge_id, learner_id, achievement_id, version, cycle, issuer_id, valid_from, valid_until, digest,
       evidence_events, evidence_badges, trigger_event_id, trigger_traceparent, traceparent, awarded_at,
       not exists (select from outbox where outbox.key = convert_to(badge.badge_id::text, 'UTF8')) as told
from badge where badge_id = $1;

-- name: trail_events
-- Of one learner only, so that the primary key is used; ids are few. An imported badge is two facts of one event: of
-- its issuer's badges, and of this one.
select distinct on (arrived, event_id) kind, object_id, event_id, occurred_at, received_at, points, out_of, assessor, digest, traceparent, voided_by
from fact where learner_id = $1 and event_id = any($2::uuid[])
order by arrived;

-- name: trail_badges
select badge_id, achievement_id, version, valid_from from badge where badge_id = any($1::uuid[])
order by trigger_arrived, achievement_id;
