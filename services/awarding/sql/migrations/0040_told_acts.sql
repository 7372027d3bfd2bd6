-- Acts are told, so that a database that was lost knows them again (M1.37). A job of which only told lines are known
-- may be sent again: what is missing of it is completed.
alter table bulk_job add column is_restored boolean not null default false;
