-- name: create_database_statement
-- CREATE DATABASE takes no parameters, so the server itself quotes the name.
select format('create database %I', $1::text);

-- name: lock_migrations
-- A session lock of this database: its key is any number that only migrations use.
select pg_advisory_lock(7201418233);

-- name: create_table
create table if not exists schema_migration (
    room text not null,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now(),
    primary key (room, name)
);

-- name: limit_lock_waits
set lock_timeout = '2s';

-- name: checksum_of
select checksum from schema_migration where room = $1 and name = $2;

-- name: note_applied
insert into schema_migration (room, name, checksum) values ($1, $2, $3);
