/**
 * The program that Postgres runs for each finished file of its log: it is in the archive whole and on the disk, or not at all.
 *
 * A shell script, for it must run as Postgres' user, start in milliseconds and work while everything of ours is down. Postgres
 * keeps a file until the script succeeds, tries three times and then once a minute, and counts: see `archive` in the server's
 * view. Source: "Setting Up WAL Archiving" of PostgreSQL's manual.
 */

/** The script's text. Its arguments: path and name of the file. */
export function archiveScript(archive: string): string {
  return `#!/bin/sh
# Written by tenfold: changes here are lost.
set -eu
from=$1 name=$2
archive='${archive.replaceAll("'", `'\\''`)}'
if [ -e "$archive/$name" ]; then
  if cmp -s "$from" "$archive/$name"; then
    # Postgres died before it noted our success; whether the name was on the disk is not known.
    sync "$archive/$name" "$archive"
    exit 0
  fi
  echo "tenfold: $name is in $archive already, and differs: two servers archive to it" >&2
  exit 1
fi
draft="$archive/.$name.$$.tmp"
trap 'rm -f "$draft"' EXIT
rm -f "$archive/.$name."*.tmp
dd if="$from" of="$draft" bs=1048576 conv=fsync 2>/dev/null || {
  echo "tenfold: $name cannot be written to $archive: is its disk full?" >&2
  exit 1
}
# A link never replaces a file, unlike a rename.
ln "$draft" "$archive/$name"
rm -f "$draft"
sync "$archive"
`;
}
