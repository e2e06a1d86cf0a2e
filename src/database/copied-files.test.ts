import { expect, test } from "bun:test";
import { isCopied } from "./copied-files.ts";

test("a copy takes tables and settings, and leaves what belongs to the running server", () => {
  const taken = [
    "base/5/1259",
    "base/5/1259_fsm",
    "global/pg_control",
    "PG_VERSION",
    "tenfold.conf",
    "pg_xact/0000",
    "base/5/1259.1",
  ];
  const left = [
    "postmaster.pid",
    "pg_wal/000000010000000000000001",
    "pg_replslot/a/state",
    "base/pgsql_tmp/pgsql_tmp1.0",
    "base/5/t3_16384",
    "base/5/t3_16384_vm",
    "base/5/pg_internal.init",
    "backup_label",
    "standby.signal",
    "tenfold.role.conf",
    "postgresql.auto.conf.tmp",
  ];
  expect([taken.filter((path) => !isCopied(path)), left.filter(isCopied)]).toEqual([[], []]);
});
