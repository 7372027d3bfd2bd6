-- The log of issuance (B8) as awarding tells it: every hash of its tree, so that any proof is a few rows.

create table log_node (
    level smallint not null check (level between 0 and 63),
    number bigint not null check (number >= 0),
    hash bytea not null check (octet_length(hash) = 32),
    primary key (level, number)
);

-- Which badge stands where. Without its salt an entry tells nothing of anybody: of who was erased it goes.
create table log_entry (
    log_index bigint primary key check (log_index >= 0),
    badge_id uuid not null unique,
    entry bytea not null check (octet_length(entry) = 32),
    salt bytea
);

-- The signed heads, by the size of the log that they are about.
create table log_checkpoint (
    size bigint primary key check (size >= 1),
    note text not null,
    verifier_key text not null,
    logged_at timestamptz not null
);
