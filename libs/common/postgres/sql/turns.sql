-- name: take_turns
-- A bucket for each caller: `full_at` is when all of its turns will be back. Takes $2 seconds' worth of turns out of a
-- bucket that holds $3 seconds' worth, if there are as many; answers a row if so.
insert into caller_turns as kept (caller, full_at) values ($1, now() + make_interval(secs => $2::float8))
on conflict (caller) do update set full_at = greatest(kept.full_at, now()) + make_interval(secs => $2::float8)
where greatest(kept.full_at, now()) + make_interval(secs => $2::float8) <= now() + make_interval(secs => $3::float8)
returning true;

-- name: seconds_until_full
select extract(epoch from full_at - now())::float8 from caller_turns where caller = $1;

-- name: charge_turns
-- Takes them whether they are there or not.
insert into caller_turns as kept (caller, full_at) values ($1, now() + make_interval(secs => $2::float8))
on conflict (caller) do update set full_at = greatest(kept.full_at, now()) + make_interval(secs => $2::float8);

-- name: forget_callers
delete from caller_turns where full_at <= now();

-- name: has_callers
select exists (select from caller_turns);
