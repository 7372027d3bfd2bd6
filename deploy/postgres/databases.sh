#!/bin/bash
# Runs once, when PostgreSQL's image makes its data: a database and a role for each service, and no way into others'.
set -euo pipefail
for service in enrollment progress awarding verification; do
  psql --set ON_ERROR_STOP=1 --quiet --username "${POSTGRES_USER:-postgres}" --dbname postgres \
    --set role="cairn_$service" --set password="$(cat "/run/secrets/$service-password")" <<'SQL'
create role :"role" login password :'password';
create database :"role" owner :"role";
revoke connect on database :"role" from public;
SQL
done
