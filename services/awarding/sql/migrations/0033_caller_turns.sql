-- How often one may bring badges, counted by all processes together (SR-21): a digest of the caller under a secret that
-- is not here, and when all its turns are back. Unlogged: what a crash forgets costs nothing.
create unlogged table caller_turns (
    caller bytea primary key,
    full_at timestamptz not null
) with (fillfactor = 50);
