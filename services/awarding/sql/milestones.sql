-- name: milestones_in
-- What was reached already of each (learner, achievement), in any version.
select reached.learner_id, reached.achievement_id, reached.version, reached.step_id, reached.name, reached.reached_at
from unnest($1::text[], $2::text[]) as wanted (learner_id, achievement_id)
cross join lateral (
    select * from milestone
    where milestone.learner_id = wanted.learner_id and milestone.achievement_id = wanted.achievement_id
    offset 0
) reached;

-- name: milestones_of
select learner_id, achievement_id, version, step_id, name, reached_at from milestone
where learner_id = $1 order by reached_at, achievement_id, step_id;

-- name: keep_milestones
insert into milestone (learner_id, achievement_id, version, step_id, name, reached_at)
select * from unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::timestamptz[])
on conflict do nothing
returning learner_id, achievement_id, version, step_id, name, reached_at;

-- name: erase_milestones
delete from milestone where learner_id = any($1::text[]);
