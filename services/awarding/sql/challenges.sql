-- name: keep_challenge
-- One challenge a learner and goal: set again, it has the new date.
insert into challenge (challenge_id, learner_id, achievement_id, target_on) values ($1, $2, $3, $4)
on conflict (learner_id, achievement_id) do update set target_on = excluded.target_on
returning challenge_id, learner_id, achievement_id, target_on, made_at;

-- name: challenges_of
select challenge_id, learner_id, achievement_id, target_on, made_at from challenge
where learner_id = $1 order by target_on, achievement_id;

-- name: drop_challenge
delete from challenge where learner_id = $1 and challenge_id = $2 returning challenge_id;
