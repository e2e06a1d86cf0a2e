import { test } from "bun:test";
import { replicationSuite } from "../../testing/replication-suite.ts";
import { INSTALLATIONS } from "../../testing/servers.ts";

const installations = Object.entries(INSTALLATIONS);

for (const [name, find] of installations) replicationSuite(name, find);

if (installations.length < 2)
  test.skip("replication with another Postgres (needs Debian's postgresql-15)", () => {});
