-- Awards to many at once (B10): a job is a row, and each line of its file an act, carried out like any other. What is
-- done is committed batch by batch, so a job goes on where it was when a worker was killed.
create table bulk_job (
    job_id uuid primary key,
    kind text not null check (kind in ('award', 'revoke')),
    reason text not null,
    evidence text not null,
    actor text not null,
    asked_at timestamptz not null
);

alter table act
    add column job_id uuid references bulk_job,
    -- The line of the job's file, from 2: the first is the header.
    add column line integer;
create unique index act_line on act (job_id, line) where job_id is not null;
