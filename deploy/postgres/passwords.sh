#!/bin/sh
# Chooses a password for each role of the database, once. Compose keeps them in volumes; nobody
# needs to know them.
set -eu
for role in inventory orders experiments; do
  file=/run/database/$role/password
  [ -s "$file" ] && continue
  head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$file.new"
  chmod 444 "$file.new"
  mv "$file.new" "$file"
done
