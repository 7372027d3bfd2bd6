-- Badges in the signed form of Open Badges 2.0: asked for at the door, signed by the worker, once.
create table signed_assertion (
    badge_id uuid primary key,
    learner_id text collate "C" not null,
    asked_at timestamptz not null,
    token text,
    refusal text
);
create index signed_assertion_waiting on signed_assertion (asked_at) where token is null and refusal is null;
create index signed_assertion_of_learner on signed_assertion (learner_id);
