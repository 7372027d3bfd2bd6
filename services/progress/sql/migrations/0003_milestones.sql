-- The milestones of a learner, to show beside the progress; awarding tells them (M2.5).
create table milestone (
    learner_id text not null,
    achievement_id text not null,
    version integer not null,
    step_id text not null,
    name text not null,
    reached_at timestamptz not null,
    primary key (learner_id, achievement_id, version, step_id)
);
