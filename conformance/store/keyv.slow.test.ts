/** Keyv's own tests of store adapters on the store. Their packages are installed apart: `npm ci --prefix conformance/keyv`. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type StoreProcess, startStore } from "./store-process.ts";

const FOLDER = join(import.meta.dir, "../keyv");

interface Runner {
  readonly beforeEach: typeof beforeEach;
  readonly afterEach: typeof afterEach;
  it(name: string, run: (context: { readonly expect: typeof expect }) => unknown): void;
}

/** What `suite.js` exports. */
interface Suite {
  readonly declare: (runner: Runner, url: () => string, opened: (close: () => unknown) => void) => void;
}

const isInstalled = existsSync(join(FOLDER, "node_modules"));

if (isInstalled) {
  const { declare } = (await import(join(FOLDER, "suite.js"))) as Suite;
  describe("@keyv/redis", () => onStore(declare));
} else {
  test.skip("@keyv/redis works unchanged (needs npm ci --prefix conformance/keyv)", () => {});
}

function onStore(declare: Suite["declare"]): void {
  let store: StoreProcess;
  const closing: (() => unknown)[] = [];
  beforeAll(async () => {
    store = await startStore({ password: "s3cret" });
  });
  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
    await store.stop();
  });
  const runner: Runner = {
    beforeEach,
    afterEach,
    it: (name, run) =>
      test(name, async () => {
        await run({ expect });
      }),
  };
  declare(
    runner,
    () => store.url,
    (close) => closing.push(close),
  );
}
