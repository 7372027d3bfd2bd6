-- name: learners_concerned
-- Registered learners who have a fact about one of the objects, or a badge of one of the achievements.
select learner.learner_id
from (
    select fact.learner_id
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
) concerned
join learner on learner.learner_id = concerned.learner_id and learner.registered_at is not null
order by learner.learner_id;
