-- When it was told that a badge's time has run out.
alter table badge add column expired_at timestamptz;
