// Keyv's own tests of store adapters, over its Redis adapter as it comes, for a runner that is given.
import KeyvRedis from "@keyv/redis";
import keyvTestSuite, { keyvIteratorTests } from "@keyv/test-suite";
import { Keyv } from "keyv";

/** Declares the tests with `runner` (`it`, `beforeEach`, `afterEach`) on the store at `url()`; `opened` gets each client. */
export function declare(runner, url, opened) {
  const newStore = () => {
    const made = new KeyvRedis(url());
    opened(() => made.disconnect());
    return made;
  };
  keyvTestSuite(runner, Keyv, newStore);
  keyvIteratorTests(runner, Keyv, newStore);
}
