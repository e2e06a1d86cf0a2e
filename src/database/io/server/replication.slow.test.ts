import { test } from "bun:test";
import { replicationSuite } from "../../testing/replication-suite.ts";
import { INSTALLATIONS } from "../../testing/servers.ts";

const others = Object.entries(INSTALLATIONS).slice(1);

for (const [name, find] of others) replicationSuite(name, find);

if (others.length === 0)
  test.skip("replication with another Postgres (needs Debian's postgresql-15)", () => {});
