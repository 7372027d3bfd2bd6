-- A fresh database is made from the topics before anything is decided: what awarding told itself comes first (B2).

-- The mark that it was. A database that has handled anything before needs it not.
create table restored (
    only_row boolean primary key default true check (only_row),
    restored_at timestamptz not null default now()
);
insert into restored (only_row) select true where exists (select from consumed);

-- Learners whose badges are to be looked at once, against all that was read.
create table review (
    learner_id text collate "C" primary key
);
