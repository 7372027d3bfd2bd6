-- Where two events speak of one thing, the later by (time, event id) wins, whichever comes first.

-- name: keep_issuers
insert into issuer (issuer_id, name, url, email, description, picture, told_at, event_id)
select distinct on (issuer_id) issuer_id, name, url, email, description, picture, told_at, event_id
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::timestamptz[], $8::uuid[])
    as told (issuer_id, name, url, email, description, picture, told_at, event_id)
order by issuer_id, told_at desc, event_id desc
on conflict (issuer_id) do update
set name = excluded.name, url = excluded.url, email = excluded.email, description = excluded.description,
    picture = excluded.picture, told_at = excluded.told_at, event_id = excluded.event_id
where (excluded.told_at, excluded.event_id) > (issuer.told_at, issuer.event_id);

-- name: keep_achievements
insert into achievement (achievement_id, version, kind, issuer_id, name, description, criteria, language, tags,
                         alignments, level, hours, credits, published_at, picture, told_at, event_id)
select distinct on (achievement_id, version) achievement_id, version, kind, issuer_id, name, description, criteria,
       language, array(select jsonb_array_elements_text(tags)), alignments, level, hours, credits, published_at,
       picture, told_at, event_id
from unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::jsonb[], $10::jsonb[], $11::smallint[], $12::numeric[], $13::numeric[], $14::timestamptz[],
            $15::jsonb[], $16::timestamptz[], $17::uuid[])
    as told (achievement_id, version, kind, issuer_id, name, description, criteria, language, tags, alignments,
             level, hours, credits, published_at, picture, told_at, event_id)
order by achievement_id, version, told_at desc, event_id desc
on conflict (achievement_id, version) do update
set kind = excluded.kind, issuer_id = excluded.issuer_id, name = excluded.name, description = excluded.description,
    criteria = excluded.criteria, language = excluded.language, tags = excluded.tags,
    alignments = excluded.alignments, level = excluded.level, hours = excluded.hours, credits = excluded.credits,
    published_at = excluded.published_at, picture = excluded.picture, told_at = excluded.told_at, event_id = excluded.event_id
where (excluded.told_at, excluded.event_id) > (achievement.told_at, achievement.event_id);

-- name: keep_badges
insert into badge (badge_id, learner_id, achievement_id, version, issuer_id, valid_from, valid_until, credential,
                   open_badge_2, digest, issued_at, traceparent, awarded_at)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::timestamptz[],
                     $7::timestamptz[], $8::bytea[], $9::bytea[], $10::text[], $11::timestamptz[], $12::text[],
                     $13::timestamptz[])
    as told (badge_id, learner_id, achievement_id, version, issuer_id, valid_from, valid_until, credential,
             open_badge_2, digest, issued_at, traceparent, awarded_at)
where not exists (
    select from erased_learner
    where erased_learner.learner_id = told.learner_id and told.issued_at <= erased_learner.erased_at
)
on conflict (badge_id) do nothing;

-- name: badges_told_otherwise
-- The badges among those told whose kept bytes differ from what was told.
select badge.badge_id
from unnest($1::uuid[], $2::text[], $3::bytea[]) as told (badge_id, digest, open_badge_2)
join badge on badge.badge_id = told.badge_id
where badge.digest <> told.digest or badge.open_badge_2 <> told.open_badge_2;

-- name: keep_changes
insert into badge_change (badge_id, aspect, holds, reason, told_at, event_id)
select distinct on (badge_id, aspect) badge_id, aspect, holds, reason, told_at, event_id
from unnest($1::uuid[], $2::text[], $3::boolean[], $4::text[], $5::timestamptz[], $6::uuid[])
    as told (badge_id, aspect, holds, reason, told_at, event_id)
order by badge_id, aspect, told_at desc, event_id desc
on conflict (badge_id, aspect) do update
set holds = excluded.holds, reason = excluded.reason, told_at = excluded.told_at, event_id = excluded.event_id
where (excluded.told_at, excluded.event_id) > (badge_change.told_at, badge_change.event_id);

-- name: signed_document
select badge.credential, badge.digest, badge.issued_at, badge.traceparent, badge.learner_id, share.audience,
       share.until as shared_until, share.shows_name, share.shows_evidence, share.changed_at as share_changed_at
from badge left join badge_share as share using (badge_id)
where badge_id = $1;

-- name: badge
select badge.*, revocation.holds as revoked, revocation.reason as revocation_reason,
       revocation.told_at as revoked_at, suspension.holds as suspended, suspension.reason as suspension_reason,
       suspension.told_at as suspended_at, share.audience, share.until as shared_until, share.shows_name,
       share.shows_evidence, share.changed_at as share_changed_at
from badge
left join badge_share as share on share.badge_id = badge.badge_id
left join badge_change as revocation
    on revocation.badge_id = badge.badge_id and revocation.aspect = 'revocation'
left join badge_change as suspension
    on suspension.badge_id = badge.badge_id and suspension.aspect = 'suspension'
where badge.badge_id = $1;

-- name: badges
select badge.*, revocation.holds as revoked, revocation.reason as revocation_reason,
       revocation.told_at as revoked_at, suspension.holds as suspended, suspension.reason as suspension_reason,
       suspension.told_at as suspended_at, share.audience, share.until as shared_until, share.shows_name,
       share.shows_evidence, share.changed_at as share_changed_at
from badge
left join badge_share as share on share.badge_id = badge.badge_id
left join badge_change as revocation
    on revocation.badge_id = badge.badge_id and revocation.aspect = 'revocation'
left join badge_change as suspension
    on suspension.badge_id = badge.badge_id and suspension.aspect = 'suspension'
where badge.badge_id = any($1::uuid[]);

-- name: badges_of_learner
select badge.badge_id, badge.achievement_id, badge.version, badge.issuer_id, badge.valid_from, badge.valid_until,
       badge.digest, badge.issued_at, achievement.name, achievement.kind, achievement.level, achievement.language,
       issuer.name as issuer_name,
       (select achievement.picture::text from picture where picture.digest = achievement.picture->>'digest') as picture,
       revocation.holds as revoked, revocation.reason as revocation_reason,
       revocation.told_at as revoked_at, suspension.holds as suspended, suspension.reason as suspension_reason,
       suspension.told_at as suspended_at
from badge
left join achievement using (achievement_id, version)
left join issuer on issuer.issuer_id = badge.issuer_id
left join badge_change as revocation
    on revocation.badge_id = badge.badge_id and revocation.aspect = 'revocation'
left join badge_change as suspension
    on suspension.badge_id = badge.badge_id and suspension.aspect = 'suspension'
where badge.learner_id = $1
order by badge.valid_from desc, badge.badge_id
limit $2;

-- name: newest_badges
-- The badges of the same learner and achievement as the one given, and that one: what holds or may hold again first,
-- then the newest.
select badge.badge_id
from badge as given
join badge on badge.learner_id = given.learner_id and badge.achievement_id = given.achievement_id
left join badge_change as revocation
    on revocation.badge_id = badge.badge_id and revocation.aspect = 'revocation'
where given.badge_id = $1
order by revocation.badge_id is not null, badge.version desc, badge.valid_from desc, badge.badge_id
limit $2;

-- name: issuer
-- Here and below: a picture is named once its bytes are kept, so that nobody is sent to what is not there.
select issuer_id, name, url, email, description, told_at,
       (select issuer.picture::text from picture where picture.digest = issuer.picture->>'digest') as picture
from issuer where issuer_id = $1;

-- name: known_issuers
select issuer_id from issuer where issuer_id = any($1::text[]);

-- name: issuers
select issuer_id, name, url, email, description, told_at,
       (select issuer.picture::text from picture where picture.digest = issuer.picture->>'digest') as picture
from issuer order by name, issuer_id limit $1;

-- name: keys_of_issuer
-- Those of embedded proofs.
select key_id, public_key_multibase, valid_from, valid_until, told_at, revoked_at
from issuer_key where issuer_id = $1 and public_key_jwk is null order by valid_from, key_id;

-- name: keys_of_issuers
select issuer_id, key_id, public_key_multibase, valid_from, valid_until, told_at, revoked_at
from issuer_key where issuer_id = any($1::text[]) and public_key_jwk is null order by issuer_id, valid_from, key_id;

-- name: achievement
select achievement_id, version, kind, issuer_id, name, description, criteria, language, tags,
       alignments::text as alignments, level, hours, credits, published_at, told_at,
       (select achievement.picture::text from picture where picture.digest = achievement.picture->>'digest') as picture
from achievement where achievement_id = $1 and version = $2;

-- name: latest_version
select max(version) from achievement where achievement_id = $1;

-- name: achievements_of_issuer
select distinct on (achievement_id) achievement_id, version, kind, issuer_id, name, description, criteria, language,
       tags, alignments::text as alignments, level, hours, credits, published_at, told_at,
       (select achievement.picture::text from picture where picture.digest = achievement.picture->>'digest') as picture
from achievement where issuer_id = $1
order by achievement_id, version desc
limit $2;

-- name: badge_counts
-- For operators: every badge that is kept, whatever became of it.
select achievement_id, count(*) as badges from badge group by achievement_id order by achievement_id;
