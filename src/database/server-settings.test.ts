import { describe, expect, test } from "bun:test";
import {
  connectionInfo,
  formatSettings,
  hostBasedAccess,
  parseSettings,
  quorumOf,
  settingsOf,
  slotName,
  withoutReserved,
  writtenValue,
} from "./server-settings.ts";

const SERVER = {
  host: "127.0.0.1",
  port: 5433,
  socketFolder: "/x",
  walLevel: "replica",
  archiveCommand: undefined,
  durable: true,
  firstSync: "syncfs",
  preload: { wanted: ["pg_stat_statements"], written: undefined },
} as const;

describe("settings", () => {
  test("are read as they were written, whatever is in them", () => {
    const settings = { restore_command: `cp '/a''b/%f' "%p"`, a: "", b: "'", c: "x = 'y'" };
    expect(parseSettings(formatSettings(settings))).toEqual(settings);
  });

  test("of the user hold, except those that hold the cluster together", () => {
    const settings = { work_mem: "5MB", port: "1", wal_level: "minimal", max_slot_wal_keep_size: "1GB" };
    const all = settingsOf("db1", { ...SERVER, settings });
    expect(all).toMatchObject({
      work_mem: "5MB",
      port: "5433",
      wal_level: "replica",
      max_slot_wal_keep_size: "1GB",
    });
    expect(all["fsync"]).toBeUndefined();
  });

  test("load our libraries after the user's, each once, and none for a user who wants none", () => {
    const loaded = (
      own: string | undefined,
      written?: string,
      wanted: readonly string[] = SERVER.preload.wanted,
    ): unknown => {
      const settings: Record<string, string> = own === undefined ? {} : { shared_preload_libraries: own };
      const all = settingsOf("db1", { ...SERVER, preload: { wanted, written }, settings });
      return all["shared_preload_libraries"];
    };
    expect(loaded(undefined)).toBe("pg_stat_statements");
    expect(loaded('auto_explain, "my lib"')).toBe('auto_explain,"my lib",pg_stat_statements');
    expect(loaded("pg_stat_statements,auto_explain")).toBe("pg_stat_statements,auto_explain");
    expect(loaded('"$libdir/pg_stat_statements"')).toBe('"$libdir/pg_stat_statements"');
    expect(loaded("")).toBe("");
    expect(loaded(undefined, "timescaledb")).toBe("timescaledb,pg_stat_statements");
    expect(loaded("auto_explain", "timescaledb")).toBe("auto_explain,pg_stat_statements");
    expect(loaded(undefined, "")).toBeUndefined();
    expect(loaded(undefined, "timescaledb", [])).toBeUndefined();
  });

  test("of a file are its last line's, however it is written", () => {
    const read = (text: string): string | undefined => writtenValue(text, "shared_preload_libraries");
    expect(read("#shared_preload_libraries = ''\t# (change requires restart)")).toBeUndefined();
    expect(read("shared_preload_libraries = 'a, b' # two\nShared_Preload_Libraries c\n")).toBe("c");
    expect(read("  shared_preload_libraries='it''s'")).toBe("it's");
    expect(read("shared_preload_libraries = ''")).toBe("");
    expect(read("my.shared_preload_libraries = 'x'")).toBeUndefined();
  });

  test("by ALTER SYSTEM go when they are ours, and only then", () => {
    const text = "# comment\nport = '1'\nwork_mem = '5MB'\nprimary_conninfo = 'host=evil'\n";
    expect(withoutReserved(text)).toBe("# comment\nwork_mem = '5MB'\n");
  });
});

describe("a replica", () => {
  test("connects by a password file, its values quoted for libpq", () => {
    const info = connectionInfo("db'2", { host: "10.0.0.1", port: 5432, slot: "s" }, "/o'dd/pass");
    expect(info).toContain("passfile='/o\\'dd/pass'");
    expect(info).toContain("application_name='db\\'2'");
    expect(info).not.toContain("password=");
  });

  test("has a slot whose name Postgres takes", () => {
    expect([slotName("DB-1"), slotName("x".repeat(80)).length]).toEqual(["tenfold_db_1", 63]);
  });
});

test("nobody connects without a password, and from beyond loopback only where peers are", () => {
  const text = hostBasedAccess({ members: [], clients: ["10.0.0.0/8"] });
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  expect(lines.every((line) => line.endsWith("scram-sha-256"))).toBe(true);
  expect(lines.filter((line) => line.includes("10.0.0.0/8"))).toEqual([
    "host all all 10.0.0.0/8 scram-sha-256",
    "host replication postgres 10.0.0.0/8 scram-sha-256",
  ]);
  expect(text).not.toContain("0.0.0.0/0");
});

test("other members connect as who replicates and looks after servers, by TLS where there is some", () => {
  const text = hostBasedAccess(
    { members: ["10.0.0.2", "fd00::2", "db3.internal"], clients: [] },
    { isTls: true },
  );
  const lines = text.split("\n").filter((line) => line.startsWith("hostssl"));
  expect(lines.slice(0, 3)).toEqual([
    "hostssl replication tenfold_replication 10.0.0.2/32 scram-sha-256",
    "hostssl postgres tenfold_replication 10.0.0.2/32 scram-sha-256",
    "hostssl postgres postgres 10.0.0.2/32 scram-sha-256",
  ]);
  expect(lines.map((line) => line.split(" ")[3])).toContain("fd00::2/128");
  expect(lines.map((line) => line.split(" ")[3])).toContain("db3.internal");
  expect(lines.length).toBe(9);
});

describe("a quorum", () => {
  test("names servers as Postgres wants them quoted", () => {
    expect([quorumOf(1, ["db-1", 'a"b']), quorumOf(0, ["db-1"]), quorumOf(1, [])]).toEqual([
      'ANY 1 ("db-1", "a""b")',
      "",
      "",
    ]);
  });
});
