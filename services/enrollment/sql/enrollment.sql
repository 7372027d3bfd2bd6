-- name: take_publishing_lock
-- One publishes at a time: a version is judged against all others, and they are told in this order.
select pg_advisory_xact_lock(4208141002);

-- name: issuer
select content from issuer where issuer_id = $1;

-- name: issuers
select content from issuer order by issuer_id;

-- name: keep_issuer
insert into issuer (issuer_id, content, published_at, published_by) values ($1, $2, $3, $4)
on conflict (issuer_id) do update
set content = excluded.content, published_at = excluded.published_at, published_by = excluded.published_by;

-- name: latest_version
select content from achievement where achievement_id = $1 order by version desc limit 1;

-- name: version
select content from achievement where achievement_id = $1 and version = $2;

-- name: latest_versions
select distinct on (achievement_id) content from achievement
where achievement_id > $1
order by achievement_id, version desc
limit $2;

-- name: all_versions
select content from achievement order by achievement_id, version;

-- name: keep_version
insert into achievement (achievement_id, version, content, published_at, published_by) values ($1, $2, $3, $4, $5);

-- name: register_learners
-- In order of id, so that two requests cannot wait for each other. What is not given stays as it was.
insert into learner as known (learner_id, name, email, shows_name, registered_at, changed_at)
select learner_id, name, email, coalesce(shows_name, false), $5, $5
from unnest($1::text[], $2::text[], $3::text[], $4::boolean[]) as given (learner_id, name, email, shows_name)
order by learner_id
on conflict (learner_id) do update
set name = coalesce(excluded.name, known.name), email = coalesce(excluded.email, known.email),
    changed_at = excluded.changed_at
where (coalesce(excluded.name, known.name), coalesce(excluded.email, known.email))
      is distinct from (known.name, known.email)
returning learner_id, name, email, registered_at, shows_name;

-- name: choose_names
-- What learners chose; those who chose nothing stay as they are.
update learner set shows_name = given.shows_name, changed_at = $3
from unnest($1::text[], $2::boolean[]) as given (learner_id, shows_name)
where learner.learner_id = given.learner_id and learner.shows_name <> given.shows_name
returning learner.learner_id, name, email, registered_at, learner.shows_name;

-- name: erase_learner
delete from learner where learner_id = $1 returning learner_id;

-- name: learner
select learner_id, name, email, registered_at, shows_name from learner where learner_id = $1;

-- name: present_learners
-- Locked, so that none is erased before their enrolments are kept.
select learner_id from learner where learner_id = any($1::text[]) order by learner_id for key share;

-- name: keep_enrollments
insert into enrollment (event_id, learner_id, offer_id, status, occurred_at)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) as given (event_id)
order by event_id  -- so that two requests cannot wait for each other
on conflict (event_id) do nothing
returning event_id;

-- name: enrollments_of_learner
select distinct on (offer_id) offer_id, status, occurred_at from enrollment
where learner_id = $1
order by offer_id, occurred_at desc, event_id desc;
