-- Milestones that learners reached on their way (M2.5): told once a learner, achievement version and step, and kept.
create table milestone (
    learner_id text collate "C" not null,
    achievement_id text collate "C" not null,
    version integer not null,
    step_id text collate "C" not null,
    name text not null,
    reached_at timestamptz not null,
    primary key (learner_id, achievement_id, version, step_id)
);
