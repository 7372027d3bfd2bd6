-- Badges of other issuers that learners brought (B12), and what awarding knows of learners themselves.

alter table fact drop constraint fact_kind_check, add constraint fact_kind_check check (kind between 1 and 4);

alter table learner
    -- A keyed digest of the e-mail address: whose badge it is can be told, who that is cannot.
    add column email_digest bytea,
    -- The learner's own name, only while they want it in their badges (M1.3, B7).
    add column shown_name text;

create table imported_badge (
    import_id uuid primary key,
    learner_id text collate "C" not null,
    place bigint generated always as identity,
    -- unclear: nobody can tell yet; genuine: to be counted by the worker; counting; lost: not in force any more;
    -- refused; leaving: the learner took it back, which the worker has yet to carry out.
    state text not null check (state in ('unclear', 'genuine', 'counting', 'lost', 'refused', 'leaving')),
    -- What was brought, as little as it takes to check it again: the badge, or its address. None is left of a badge
    -- that was refused, or that was remembered from the topic.
    brought bytea,
    digest text not null,
    -- Whom it should be awarded to, kept until that is settled; and whether an authorised person vouches for it.
    person_kind text,
    person_identity text,
    is_vouched boolean not null,
    actor text not null,
    asked_at timestamptz not null,
    -- What it says, where it was found genuine.
    issuer text,
    issuer_name text,
    achievement text,
    credential text,
    name text,
    standard text,
    valid_from timestamptz,
    valid_until timestamptz,
    -- How often it came to count, and the event by which it counts now.
    revision integer not null default 0,
    counted_by uuid,
    cause text,
    checked_at timestamptz not null,
    next_check_at timestamptz,
    checks integer not null default 1,
    traceparent text
);
create index imported_badge_learner on imported_badge (learner_id, place);
create index imported_badge_work on imported_badge (place) where state in ('genuine', 'leaving');
create index imported_badge_due on imported_badge (next_check_at) where next_check_at is not null;
-- One badge is one person's, once.
create unique index imported_badge_once on imported_badge (md5(issuer), md5(credential))
    where state in ('genuine', 'counting', 'lost') and credential is not null;
