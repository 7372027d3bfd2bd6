-- Lists of issuers that somebody vouches for. They decide what is trusted here, never what is genuine.
create table trust_list (
    list_name text primary key,
    -- Where the list came from, as whoever imported it says.
    source text not null,
    imported_by text not null,
    imported_at timestamptz not null
);

create table trusted_issuer (
    list_name text not null references trust_list on delete cascade,
    issuer_id text not null,
    name text not null,
    primary key (list_name, issuer_id)
);
create index trusted_issuer_by_id on trusted_issuer (issuer_id);
