-- name: keep_job
-- One that is known stays as it is, unless it is known from the topic alone, which tells only of lines that are done.
insert into bulk_job (job_id, kind, reason, evidence, actor, asked_at) values ($1, $2, $3, $4, $5, $6)
on conflict (job_id) do update
    set reason = excluded.reason, evidence = excluded.evidence, actor = excluded.actor, is_restored = false
    where bulk_job.is_restored
returning job_id;

-- name: keep_lines
-- A line that cannot be carried out is refused from the beginning.
insert into act (act_id, kind, learner_id, achievement_id, badge_id, reason, evidence, actor, asked_at, traceparent,
                 job_id, line, refusal, done_at)
select told.act_id, job.kind, told.learner_id, told.achievement_id, told.badge_id, told.reason, told.evidence,
       job.actor, job.asked_at, $2, job.job_id, told.line, told.refusal,
       case when told.refusal is not null then now() end
from bulk_job job
cross join unnest($3::uuid[], $4::integer[], $5::text[], $6::text[], $7::uuid[], $8::text[], $9::text[], $10::text[])
     as told (act_id, line, learner_id, achievement_id, badge_id, reason, evidence, refusal)
where job.job_id = $1
order by told.line
on conflict (act_id) do nothing;

-- name: keep_undo_lines
-- One line for each badge that facts earned of the version since an instant and that is not revoked; the ids of the
-- acts are derived, as those of a file's lines are.
insert into act (act_id, kind, learner_id, achievement_id, badge_id, reason, evidence, actor, asked_at, traceparent,
                 job_id, line)
select md5(job.job_id::text || badge.badge_id::text)::uuid, job.kind, badge.learner_id, badge.achievement_id,
       badge.badge_id, job.reason, job.evidence, job.actor, job.asked_at, $2, job.job_id,
       (select coalesce(max(line), 0) from act where act.job_id = job.job_id)
       + row_number() over (order by badge.learner_id, badge.cycle)
from bulk_job job
join badge on badge.achievement_id = $3 and badge.version = $4 and badge.awarded_at >= $5
  and badge.is_grounded and badge.state <> 2
where job.job_id = $1
on conflict (act_id) do nothing;

-- name: known_learners
select learner_id from learner where learner_id = any($1::text[]) and erased_at is null;

-- name: known_achievements
select distinct achievement_id from achievement where achievement_id = any($1::text[]);

-- name: job_progress
select job.job_id, job.kind, job.reason, job.evidence, job.actor, job.asked_at,
       count(act.act_id) as lines, count(*) filter (where act.done_at is null and act.act_id is not null) as waiting,
       count(act.refusal) as refused, max(act.done_at) as last_done_at
from bulk_job job
left join act on act.job_id = job.job_id
where job.job_id = $1
group by job.job_id;

-- name: job_lines
select line, learner_id, achievement_id, badge_id, refusal, done_at from act where job_id = $1 order by line;
