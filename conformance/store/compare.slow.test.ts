import { describe, expect, test } from "bun:test";
import { hasRedis } from "../../src/resp/testing/store-servers.ts";
import { compare } from "./compare.ts";

describe("the store and redis-server", () => {
  for (const [seed, protocol] of [
    [11, 2],
    [12, 3],
  ] as const) {
    test.skipIf(!hasRedis)(
      `reply the same to 3,000 random commands in RESP${protocol} (needs redis-server)`,
      async () => {
        expect(await compare({ commands: 3000, seed, protocol, differencesMax: 5 })).toEqual([]);
      },
      30_000,
    );
  }
});
