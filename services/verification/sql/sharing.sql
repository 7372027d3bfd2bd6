-- Who may see a badge.

-- name: links_of_badge
select link_id, badge_id, secret, purpose, until, shows_name, shows_evidence, created_at
from share_link where badge_id = $1 order by created_at, link_id;

-- name: keep_share
-- Of a badge that is there: who comes after an erasure decides nothing (B7). Later than the decision before it,
-- whatever the clocks of two processes say: the one that was kept last wins wherever it is heard.
insert into badge_share as kept (badge_id, learner_id, audience, until, shows_name, shows_evidence, changed_at, told_at)
select badge_id, learner_id, $2::text, $3::timestamptz, $4::boolean, $5::boolean, $6::timestamptz, $6::timestamptz
from badge where badge_id = $1
on conflict (badge_id) do update
set learner_id = excluded.learner_id, audience = excluded.audience, until = excluded.until,
    shows_name = excluded.shows_name, shows_evidence = excluded.shows_evidence,
    changed_at = greatest(excluded.changed_at, kept.changed_at + interval '1 microsecond'),
    told_at = greatest(excluded.changed_at, kept.changed_at + interval '1 microsecond')
returning learner_id, changed_at;

-- name: hear_shares
-- Under the badge's id, whether it is there yet or not; the later wins. Answers what its learner's erasure refuses.
with told as (
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::boolean[], $6::boolean[],
                         $7::timestamptz[])
        as told (badge_id, learner_id, audience, until, shows_name, shows_evidence, changed_at)
), refused as (
    select told.badge_id, told.changed_at, erased_learner.erased_at
    from told join erased_learner using (learner_id) where told.changed_at <= erased_learner.erased_at
), heard as (
    insert into badge_share as kept (badge_id, learner_id, audience, until, shows_name, shows_evidence, changed_at,
                                     told_at)
    select distinct on (badge_id) badge_id, learner_id, audience, until, shows_name, shows_evidence, changed_at,
           changed_at
    from told
    where (badge_id, changed_at) not in (select badge_id, changed_at from refused)
    order by badge_id, changed_at desc
    on conflict (badge_id) do update
    set learner_id = excluded.learner_id, audience = excluded.audience, until = excluded.until,
        shows_name = excluded.shows_name, shows_evidence = excluded.shows_evidence, changed_at = excluded.changed_at,
        told_at = excluded.told_at
    where excluded.changed_at > kept.changed_at
)
select badge_id, max(erased_at) as erased_at from refused group by badge_id order by badge_id;

-- name: hear_forgotten_shares
-- What was decided until then goes. A later decision stays, and is told once more: the tombstone may have come behind
-- it, and would take it from the topic.
with told as (
    select badge_id, max(erased_at) as erased_at
    from unnest($1::uuid[], $2::timestamptz[]) as told (badge_id, erased_at) group by badge_id
), gone as (
    delete from badge_share using told
    where badge_share.badge_id = told.badge_id and badge_share.changed_at <= told.erased_at
)
update badge_share set told_at = null from told
where badge_share.badge_id = told.badge_id and badge_share.changed_at > told.erased_at;

-- name: take_untold_shares
with untold as (
    select badge_share.badge_id, coalesce(badge_share.learner_id, badge.learner_id) as learner_id
    from badge_share left join badge using (badge_id)
    where badge_share.told_at is distinct from badge_share.changed_at
      and coalesce(badge_share.learner_id, badge.learner_id) is not null
    order by badge_share.badge_id limit $1
    for update of badge_share skip locked
)
update badge_share set learner_id = untold.learner_id, told_at = changed_at
from untold where badge_share.badge_id = untold.badge_id
returning badge_share.badge_id, badge_share.learner_id, audience, until, shows_name, shows_evidence, changed_at;

-- name: keep_link
-- The number of links of a badge is bounded: nobody needs more, and somebody might try.
insert into share_link (link_id, badge_id, secret, purpose, until, shows_name, shows_evidence, created_at)
select $1, badge_id, $3, $4, $5, $6, $7, $8 from badge
where badge_id = $2 and (select count(*) from share_link where badge_id = $2) < $9;

-- name: drop_link
delete from share_link where badge_id = $1 and link_id = $2;

-- name: badges_of_code
-- Two, if there are two: then the code says nothing.
select badge_id from badge
where left(encode(sha256('cairn short code'::bytea || uuid_send(badge_id)), 'hex'), 15) = $1
limit 2;

-- name: hold_badges
-- Waits for what others are keeping of badges, and makes new ones wait: none slips past an erasure.
lock table badge_share, share_link, badge in share row exclusive mode;

-- name: erase_shares
-- Before the badges go: what was decided about them, and what was decided until then about badges not heard of yet.
with told as (
    select learner_id, max(erased_at) as erased_at
    from unnest($1::text[], $2::timestamptz[]) as told (learner_id, erased_at) group by learner_id
), found as (
    select badge_share.badge_id, told.erased_at
    from told join badge_share on badge_share.learner_id = told.learner_id
    where badge_share.changed_at <= told.erased_at
    union
    select badge.badge_id, told.erased_at
    from told join badge on badge.learner_id = told.learner_id
    where badge.issued_at <= told.erased_at
)
delete from badge_share using found where badge_share.badge_id = found.badge_id
returning badge_share.badge_id, greatest(found.erased_at, badge_share.changed_at) as erased_at;

-- name: erase_learners
with told as (
    select learner_id, max(erased_at) as erased_at
    from unnest($1::text[], $2::timestamptz[]) as told (learner_id, erased_at) group by learner_id
), erased as (
    insert into erased_learner (learner_id, erased_at) select learner_id, erased_at from told
    on conflict (learner_id) do update set erased_at = greatest(erased_learner.erased_at, excluded.erased_at)
), gone as (
    delete from badge using told
    where badge.learner_id = told.learner_id and badge.issued_at <= told.erased_at
    returning badge.badge_id
), changes as (
    delete from badge_change where badge_id in (select badge_id from gone)
), salts as (
    update log_entry set salt = null where badge_id in (select badge_id from gone)
), links as (
    delete from share_link where badge_id in (select badge_id from gone)
), endorsements as (
    delete from endorsement where badge_id in (select badge_id from gone)
), assertions as (
    update signed_assertion set learner_id = null, token = null from told
    where signed_assertion.learner_id = told.learner_id and signed_assertion.told_at <= told.erased_at
)
select count(*) from gone;

-- name: note_registered
-- Of those who were erased: since when they are registered again.
update erased_learner set registered_at = greatest(erased_learner.registered_at, told.registered_at)
from (
    select learner_id, max(registered_at) as registered_at
    from unnest($1::text[], $2::timestamptz[]) as told (learner_id, registered_at) group by learner_id
) told
where erased_learner.learner_id = told.learner_id and told.registered_at > erased_at;
