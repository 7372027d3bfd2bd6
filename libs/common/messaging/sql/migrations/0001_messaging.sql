-- The tables that every service's database holds so that nothing is lost and nothing happens twice.

-- Where this service stands in each partition. It is the truth; Kafka's group offsets are for lag tools only.
create table consumed (
    topic text not null,
    partition integer not null,
    next_offset bigint not null check (next_offset >= 0),
    updated_at timestamptz not null default now(),
    primary key (topic, partition)
) with (fillfactor = 50);

-- The events that were handled. Kept at least as long as the topics and the senders' retries last.
create table inbox (
    event_id uuid primary key,
    seen_at timestamptz not null default now()
);
create index inbox_seen_at on inbox using brin (seen_at);

-- The events to tell, in order of id. Every row is unsent: the relay deletes what Kafka has committed.
create table outbox (
    id bigint generated always as identity primary key,
    topic text not null,
    key bytea,
    event_id uuid,
    type text,
    source text,
    subject text,
    time timestamptz,
    traceparent text,
    value bytea check (octet_length(value) <= 1000000),
    -- Only for a message that is passed on as it came (a dead letter); else the columns above say the headers.
    header_names text[],
    header_values bytea[],
    created_at timestamptz not null default now(),
    check (header_names is not null or (event_id is not null and type is not null
           and source is not null and time is not null)),
    check (cardinality(header_names) = cardinality(header_values))
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 200000);

-- How many batches the relay has begun, and the rows of the last one while it may still have to be sent again.
-- Kafka holds the same number as the position of what it committed: after a crash the two tell what happened.
create table relay_batch (
    shard integer primary key,
    position bigint not null check (position >= 0),
    outbox_ids bigint[] not null
);
insert into relay_batch (shard, position, outbox_ids) values (0, 0, '{}');

-- The messages that could not be used, with the reason, as they came.
create table dead_letter (
    id bigint generated always as identity primary key,
    topic text not null,
    partition integer not null,
    record_offset bigint not null,
    recorded_at timestamptz not null default now(),
    sent_at timestamptz not null,
    key bytea,
    value bytea,
    header_names text[] not null,
    header_values bytea[] not null,
    event_id uuid,
    type text,
    traceparent text,
    stage text not null check (stage in ('envelope', 'type', 'contract', 'handler')),
    reason text not null,
    attempts integer not null check (attempts >= 1),
    state text not null default 'waiting'
        check (state in ('waiting', 'resend', 'discard', 'handled', 'discarded'))
);
create index dead_letter_open on dead_letter (id) where state in ('waiting', 'resend', 'discard');

-- Who did what to a dead letter, why and when.
create table dead_letter_audit (
    id bigint generated always as identity primary key,
    dead_letter_id bigint not null references dead_letter,
    happened_at timestamptz not null default now(),
    action text not null,
    by text not null,
    reason text not null
);
create index dead_letter_audit_of on dead_letter_audit (dead_letter_id, id);

-- Keys whose later events wait behind a dead letter, where order matters.
create table parked_key (
    topic text not null,
    key bytea not null,
    dead_letter_id bigint not null references dead_letter,
    since timestamptz not null default now(),
    primary key (topic, key)
);

-- The events that wait there, in order of id.
create table parked (
    id bigint generated always as identity primary key,
    topic text not null,
    key bytea not null,
    partition integer not null,
    record_offset bigint not null,
    sent_at timestamptz not null,
    value bytea,
    header_names text[] not null,
    header_values bytea[] not null,
    parked_at timestamptz not null default now(),
    foreign key (topic, key) references parked_key
);
create index parked_of_key on parked (topic, key, id);

-- Signs of life of the workers, which speak no HTTP.
create table worker_heartbeat (
    worker text primary key,
    started_at timestamptz not null default now(),
    beat_at timestamptz not null default now(),
    state text not null,
    -- Records that wait for this worker; null while it does not know.
    lag_records bigint
);
