-- Challenges that learners set themselves: a goal and a target date (M2.9). The rest is told from facts when asked.
create table challenge (
    challenge_id uuid primary key,
    learner_id text collate "C" not null,
    achievement_id text collate "C" not null,
    target_on date not null,
    made_at timestamptz not null default now(),
    unique (learner_id, achievement_id)
);
