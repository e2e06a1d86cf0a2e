import { expect, test } from "bun:test";
import { configurationFile, givenConfiguration, placeIn } from "./given-configuration.ts";

const DEBIAN = `data_directory = '/var/lib/postgresql/15/main'
hba_file='/etc/postgresql/15/main/pg_hba.conf'
work_mem = 7MB # kept
include_dir 'conf.d'
`;

test("a configuration keeps what is said in it, without places of files, and with what it includes", () => {
  const asked: string[] = [];
  const text = givenConfiguration(DEBIAN, (kind, path) => {
    asked.push(`${kind} ${path}`);
    return "max_connections = 77\nident_file = '/etc/ident'";
  });
  expect(asked).toEqual(["include_dir conf.d"]);
  expect(text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))).toEqual([
    "work_mem = 7MB # kept",
    "max_connections = 77",
  ]);
});

test("where a server's configuration is stands in the command line that it was started with", () => {
  const line = `/usr/lib/postgresql/15/bin/postgres "-D" "/data" "-c" "config_file=/etc/postgresql/15/main/postgresql.conf"\n`;
  expect(configurationFile(line)).toBe("/etc/postgresql/15/main/postgresql.conf");
  expect(configurationFile('postgres "-D" "/data"\n')).toBeUndefined();
  expect(placeIn(DEBIAN, "hba_file")).toBe("/etc/postgresql/15/main/pg_hba.conf");
});
