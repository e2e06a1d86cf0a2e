/** Builders for the tests of the cache: a gateway with one cached rule, and targets that say what they are told to. */
import type { UserCache } from "../../../config/index.ts";
import { type Answer, gatewayTo, get, ok, Target, type TestGateway, track } from "../../testing/index.ts";

/** A gateway before a target, with what a test asks of both. */
export interface Cached {
  readonly target: Target;
  readonly gateway: TestGateway;
  /** GET of a path on a connection of its own. */
  readonly ask: (path?: string, ...fields: string[]) => Promise<Answer>;
  /** What Cache-Status says of it, without the name. */
  readonly status: (path?: string, ...fields: string[]) => Promise<string>;
}

/** A rule with this cache before a target that answers each request with these fields, and with its number as the body. */
export async function cached(cache: UserCache, ...fields: string[]): Promise<Cached> {
  return before(cache, await Target.start((_, count) => ok(String(count), ...fields)));
}

/** The same before a target of the test's own. */
export async function before(cache: UserCache, target: Target): Promise<Cached> {
  track(target);
  const gateway = await gatewayTo([target], { rule: { cache } });
  const ask = async (path = "/", ...fields: string[]): Promise<Answer> => {
    const client = await gateway.connect();
    const answer = await client.ask(get(path, ...fields));
    client.end();
    return answer;
  };
  const status = async (path = "/", ...fields: string[]): Promise<string> => {
    const answer = await ask(path, ...fields);
    return (answer.field("cache-status") ?? "").replace(/^tenfold; /, "");
  };
  return { target, gateway, ask, status };
}
