-- name: keep_trust_list
insert into trust_list (list_name, source, imported_by, imported_at) values ($1, $2, $3, $4)
on conflict (list_name) do update
set source = excluded.source, imported_by = excluded.imported_by, imported_at = excluded.imported_at;

-- name: clear_trust_list
delete from trusted_issuer where list_name = $1;

-- name: keep_trusted_issuers
insert into trusted_issuer (list_name, issuer_id, name)
select $1, issuer_id, name from unnest($2::text[], $3::text[]) as given (issuer_id, name);

-- name: withdraw_trust_list
delete from trust_list where list_name = $1 returning list_name;

-- name: trust_lists
select list_name, source, imported_by, imported_at, count(trusted_issuer.issuer_id) as issuers
from trust_list left join trusted_issuer using (list_name)
group by list_name order by list_name limit $1;

-- name: trusted_issuers
select issuer_id, name from trusted_issuer where list_name = $1 order by issuer_id limit $2;

-- name: trust_list
select list_name, source, imported_by, imported_at, 0::bigint as issuers from trust_list where list_name = $1;

-- name: lists_of_issuer
select list_name from trusted_issuer where issuer_id = $1 order by list_name limit 10;
