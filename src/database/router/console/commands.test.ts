import { expect, test } from "bun:test";
import { parseConsoleCommand } from "./commands.ts";

test.each([
  ["SHOW STATS;", { kind: "show", what: "STATS" }],
  ["  show  pools ", { kind: "show", what: "POOLS" }],
  ["PAUSE", { kind: "pool", command: "PAUSE", database: undefined }],
  ["pause shop;", { kind: "pool", command: "PAUSE", database: "shop" }],
  ['KILL "a ""b"" c"', { kind: "pool", command: "KILL", database: 'a "b" c' }],
  ["RECONNECT Shop", { kind: "pool", command: "RECONNECT", database: "Shop" }],
  ["RELOAD", { kind: "reload" }],
  ["shutdown;", { kind: "shutdown" }],
  ["SHUTDOWN wait_for_servers", { kind: "shutdown" }],
] as const)("%s is a command", (text, command) => {
  expect(parseConsoleCommand(text)).toEqual(command);
});

test.each([
  ["KILL", "a database is required: KILL <db>"],
  ["SHOW", "invalid command 'SHOW', use SHOW HELP;"],
  ["SHOW SECRETS", "invalid command 'SHOW SECRETS', use SHOW HELP;"],
  ["SELECT 1", "invalid command 'SELECT 1', use SHOW HELP;"],
  ["PAUSE a b", "invalid command 'PAUSE a b', use SHOW HELP;"],
  ["PAUSE a; KILL b", "invalid command 'PAUSE a; KILL b', use SHOW HELP;"],
  ["SHUTDOWN WAIT_FOR_CLIENTS", "invalid command 'SHUTDOWN WAIT_FOR_CLIENTS', use SHOW HELP;"],
  ["SET verbose = 1", "SET is not known to this router: change the file of settings, and say RELOAD"],
  ["", "invalid command '', use SHOW HELP;"],
])("%s is none", (text, message) => {
  expect(parseConsoleCommand(text)).toEqual({ kind: "wrong", message });
});
