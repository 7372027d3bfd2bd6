-- name: keep_pictures
insert into picture (digest, media_type, content, drawn, told_at)
select distinct on (digest) digest, media_type, content, drawn, told_at
from unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[], $5::timestamptz[])
    as told (digest, media_type, content, drawn, told_at)
order by digest, told_at
on conflict (digest) do nothing;

-- name: picture
select media_type, content, drawn, told_at from picture where digest = $1;
