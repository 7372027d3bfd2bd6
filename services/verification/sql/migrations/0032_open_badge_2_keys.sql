-- Keys of signed Open Badges 2.0 alone (M1.39): no VC-JWT is to count by them.
alter table issuer_key add column for_assertions boolean not null default false;
