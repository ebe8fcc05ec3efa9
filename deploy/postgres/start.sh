#!/bin/sh
# Starts PostgreSQL with the database of the café. Runs in the container of the database, as the
# user postgres; Compose and Kubernetes mount this file.
#
# Each service has a role of its own, which owns one schema and nothing else. The lab has a role
# that owns a database of its own, for the services that an experiment starts; it cannot connect to
# that of the café. The password of a role is in /run/database/ROLE/password. The superuser has no password, so it can connect in this container
# only.
set -eu
umask 077
export PGDATA="${PGDATA:-/var/lib/postgresql/18/docker}"

# It is made elsewhere first, so a first start that was interrupted leaves nothing half done.
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  new=$PGDATA.new
  rm -rf "$new"
  initdb --pgdata="$new" --username=postgres --encoding=UTF8 --locale=C --auth-local=trust --auth-host=scram-sha-256 >/dev/null
  echo 'host all all all scram-sha-256' >>"$new/pg_hba.conf"
  printf 'CREATE DATABASE %s;\n' campuscafe experiments | postgres --single -D "$new" postgres >/dev/null
  # An image may bring the empty directory.
  rmdir "$PGDATA" 2>/dev/null || true
  mv "$new" "$PGDATA"
fi
# Kubernetes gives a volume that it mounts again to the group, and the server refuses that.
chmod 700 "$PGDATA"

# In single-user mode a statement is one line. The passwords may be new ones.
role() {
  cat <<SQL
DO \$\$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$1') THEN CREATE ROLE $1 LOGIN; END IF; END \$\$;
ALTER ROLE $1 PASSWORD '$(cat "/run/database/$1/password")';
SQL
}
service() {
  role "$1"
  cat <<SQL
GRANT CONNECT ON DATABASE campuscafe TO $1;
CREATE SCHEMA IF NOT EXISTS $1 AUTHORIZATION $1;
SQL
}
{
  echo 'REVOKE ALL ON DATABASE campuscafe FROM PUBLIC;'
  echo 'REVOKE ALL ON SCHEMA public FROM PUBLIC;'
  service inventory
  service orders
  role experiments
  echo 'REVOKE ALL ON DATABASE experiments FROM PUBLIC;'
  echo 'ALTER DATABASE experiments OWNER TO experiments;'
} | postgres --single campuscafe >/dev/null

# The root file system is read-only, so the socket is in /tmp, and PGHOST says so to pg_dump. The
# default of shared_buffers is 128 MB, nearly all that the container may have.
exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp -c shared_buffers=32MB
