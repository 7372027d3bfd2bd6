-- Whether the learner wants their name in badges that are awarded from now on (M1.3, B7).
alter table learner add column shows_name boolean not null default false;
