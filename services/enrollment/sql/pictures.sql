-- name: keep_picture
insert into picture (digest, media_type, content, drawn, uploaded_at, uploaded_by) values ($1, $2, $3, $4, $5, $6)
on conflict (digest) do nothing
returning digest;

-- name: picture_type
select media_type from picture where digest = $1;
