/** Builders for the tests of the cache: a gateway with one cached rule, and targets that say what they are told to. */
import { systemClock } from "../../../base/index.ts";
import type { UserCache } from "../../../config/index.ts";
import {
  type Answer,
  type Extra,
  type GatewayOptions,
  get,
  ok,
  proxyTo,
  Target,
  TestGateway,
  track,
} from "../../testing/index.ts";

/** A gateway before a target, with what a test asks of both. */
export interface Cached {
  readonly target: Target;
  readonly gateway: TestGateway;
  /** GET of a path on a connection of its own. */
  readonly ask: (path?: string, ...fields: string[]) => Promise<Answer>;
  /** What Cache-Status says of it, without the name. */
  readonly status: (path?: string, ...fields: string[]) => Promise<string>;
  /** Turns the gateway's wall clock on. */
  readonly later: (seconds: number) => void;
}

/** A rule with this cache before a target that answers each request with these fields, and with its number as the body. */
export async function cached(cache: UserCache, ...fields: string[]): Promise<Cached> {
  return before(cache, await Target.start((_, count) => ok(String(count), ...fields)));
}

/** The same before a target of the test's own. */
export async function before(
  cache: UserCache,
  target: Target,
  extra: Extra = {},
  options: Pick<GatewayOptions, "store" | "disk"> = {},
): Promise<Cached> {
  track(target);
  let turnedMs = 0;
  const clock = { ...systemClock, wallMs: () => systemClock.wallMs() + turnedMs };
  const configAt = proxyTo([target.address], { ...extra, rule: { cache, ...extra.rule } });
  const gateway = track(await TestGateway.start(configAt, { clock, ...options }));
  const ask = async (path = "/", ...fields: string[]): Promise<Answer> => {
    const client = await gateway.connect();
    const answer = await client.ask(get(path, ...fields));
    client.end();
    return answer;
  };
  const status = async (path = "/", ...fields: string[]): Promise<string> => said(await ask(path, ...fields));
  const later = (seconds: number): void => {
    turnedMs += seconds * 1000;
  };
  return { target, gateway, ask, status, later };
}

/** What Cache-Status says, without the name. */
export function said(answer: Answer): string {
  return (answer.field("cache-status") ?? "").replace(/^tenfold; /, "");
}

/** For a minute, for everybody. */
export const FRESH = "Cache-Control: max-age=60";

/** Whatever the request: these answers, in this order, and the last one again and again. */
export function inOrder(
  ...answers: readonly string[]
): (arrival: unknown, count: number) => string | undefined {
  return (_, count) => answers[Math.min(count, answers.length) - 1];
}

/** A response without a body. */
export function bare(status: string, ...fields: string[]): string {
  return [`HTTP/1.1 ${status}`, ...fields, "Content-Length: 0", "\r\n"].join("\r\n");
}

/** A response in chunks of these texts. */
export function inChunks(parts: readonly string[], ...fields: string[]): string {
  const chunks = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("");
  return ["HTTP/1.1 200 OK", ...fields, "Transfer-Encoding: chunked", "", `${chunks}0\r\n\r\n`].join("\r\n");
}
