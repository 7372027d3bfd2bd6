-- A fresh database reads what verification told itself: the badges that programs pushed (B7, B12).

-- The mark that it was read. A database that has handled anything before has them in its tables.
create table restored (
    only_row boolean primary key default true check (only_row),
    restored_at timestamptz not null default now()
);
insert into restored (only_row) select true where exists (select from consumed);

-- When a pushed badge was told last; null where that was before it was noted.
alter table pushed_badge add column told_at timestamptz;

-- When an erased learner was registered again; null, or before the erasure, while they were not.
alter table erased_learner add column registered_at timestamptz;
