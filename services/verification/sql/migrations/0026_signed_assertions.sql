-- Badges in the signed form of Open Badges 2.0, as their learners asked for it. The last that was told counts.
create table signed_assertion (
    badge_id uuid primary key,
    issuer_id text not null,
    -- Null once the learner was erased: what is out there is revoked then, for nothing tells any more whether it holds.
    learner_id text,
    token text,
    told_at timestamptz not null
);
create index signed_assertion_of_issuer on signed_assertion (issuer_id);
create index signed_assertion_of_learner on signed_assertion (learner_id);
