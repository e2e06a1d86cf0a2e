import { describe, expect, test } from "bun:test";
import { quorumOf } from "../../server-settings.ts";
import { replicationSuite } from "../../testing/replication-suite.ts";
import { INSTALLATIONS } from "../../testing/servers.ts";

for (const [name, find] of Object.entries(INSTALLATIONS).slice(0, 1)) replicationSuite(name, find);

describe("a quorum", () => {
  test("names servers as Postgres wants them quoted", () => {
    expect([quorumOf(1, ["db-1", 'a"b']), quorumOf(0, ["db-1"]), quorumOf(1, [])]).toEqual([
      'ANY 1 ("db-1", "a""b")',
      "",
      "",
    ]);
  });
});
