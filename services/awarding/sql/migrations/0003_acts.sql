-- What authorised people do to badges by hand (M1.37): asked for at the door, carried out by the worker, which alone
-- can sign. The rows stay: they are the audit of who did what, when and why.
create table act (
    act_id uuid primary key,
    place bigint generated always as identity,
    kind text not null check (kind in ('award', 'revoke', 'suspend', 'reinstate')),
    learner_id text collate "C" not null,
    achievement_id text collate "C" not null,
    -- The badge that it is about; of an award it is known when it is done.
    badge_id uuid check (badge_id is not null or kind = 'award'),
    -- The reason is told with the badge; the evidence is for the audit alone.
    reason text not null,
    evidence text not null,
    actor text not null,
    asked_at timestamptz not null default now(),
    traceparent text,
    -- Why it was refused, where it was.
    refusal text,
    done_at timestamptz
);
create index act_waiting on act (learner_id, place) where done_at is null;
create index act_badge on act (badge_id, place);
