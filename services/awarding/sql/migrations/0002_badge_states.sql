-- Badges stay true (B4): what a badge stands on may fall away, come back, or be taken back by hand.

alter table badge
    -- 0 holds, 1 suspended, 2 revoked; by_hand is what a person decided, whatever the facts say.
    add column state smallint not null default 0 check (state between 0 and 2),
    add column by_hand smallint not null default 0 check (by_hand between 0 and 2),
    -- Another cycle may follow: revoked because what it stood on is gone for good.
    add column is_over boolean not null default false,
    -- Whether facts decide about it: not of badges given by hand, nor of an erased learner's.
    add column is_grounded boolean not null default true,
    -- The time of the last change that was told: later changes are told later.
    add column told_at timestamptz;

-- Every change of a badge after its issue, in order: what was told, and what caused it (an event or an act).
create table badge_change (
    event_id uuid primary key,
    badge_id uuid not null references badge,
    place bigint generated always as identity,
    state smallint not null check (state between 0 and 2),
    reason text not null,
    cause_id uuid not null,
    told_at timestamptz not null,
    changed_at timestamptz not null default now()
);
create index badge_change_badge on badge_change (badge_id, place);

-- Whether a badge of the learner is suspended for want of facts: the next fact may bring it back. It is in the row
-- that is locked anyway, so that events of all others cost nothing more.
alter table learner add column unsettled boolean not null default false;
