-- What awarding told of drafts that were tried (B3): the last word on each draft, by what it means.
create table rehearsal (
    achievement_id text not null,
    digest text not null,
    rehearsed_at timestamptz not null,
    content bytea not null,  -- JSON of RehearsalCompleted, as heard
    primary key (achievement_id, digest)
);

-- Who published a version though no rehearsal allowed it, why, and what stood in the way: the audit.
create table rehearsal_override (
    achievement_id text not null,
    version integer not null,
    reason text not null,
    refusal text not null,
    overridden_by text not null,
    overridden_at timestamptz not null,
    primary key (achievement_id, version)
);
