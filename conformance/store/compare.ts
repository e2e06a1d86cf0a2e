/**
 * Sends the same random commands to the store and to redis-server, and tells where their replies differ.
 *
 *   bin/bun conformance/store/compare.ts [--commands 100000] [--seed 1] [--protocol 2]
 */
import { parseArgs } from "node:util";
import { seededRandom } from "../../src/base/index.ts";
import type { Reply } from "../../src/resp/index.ts";
import { RespClient } from "../../src/resp/io/index.ts";
import { startRedis } from "../../src/resp/testing/store-servers.ts";
import { plain } from "../../src/resp/testing.ts";
import { type Drawn, drawCommand, type Order, testStore } from "../../src/store/testing/index.ts";

/** Commands that are sent to redis-server at once. */
const BATCH = 200;

/** A place where the two differ. */
export interface Difference {
  readonly number: number;
  readonly request: readonly string[];
  readonly store: unknown;
  readonly redis: unknown;
}

/** What a comparison is made of. */
export interface Comparison {
  readonly commands: number;
  readonly seed: number;
  readonly protocol: 2 | 3;
  readonly differencesMax: number;
}

/** Runs the comparison; resolves to what differs, nothing when all is well. */
export async function compare({
  commands,
  seed,
  protocol,
  differencesMax,
}: Comparison): Promise<Difference[]> {
  const redis = await startRedis();
  const client = new RespClient({ url: redis.url, protocol, deadlineMs: 60_000 });
  const random = seededRandom(seed);
  const { client: mine, time } = testStore({}, seed);
  // Redis' clock cannot be moved: ours is set to it, so that times of expiry are the same.
  time.advance(Date.now() - time.clock.wallMs());
  if (protocol === 3) mine.say("HELLO", 3);
  const differences: Difference[] = [];
  const inTransaction: Order[] = [];
  try {
    for (let number = 0; number < commands && differences.length < differencesMax; number += BATCH) {
      const drawn = Array.from({ length: Math.min(BATCH, commands - number) }, () => drawCommand(random));
      time.advance(Date.now() - time.clock.wallMs());
      const theirs = await client.pipeline(drawn.map(({ request }) => request));
      for (const [i, command] of drawn.entries()) {
        const replies = mine.all(...command.request);
        const reply = replies.length > 0 ? replies[0] : timeOut(mine, time);
        const order = orderOf(command, inTransaction, reply);
        const [store, other] = [reply, plain(theirs[i] as Reply)].map((one) =>
          comparable(settled(one), order),
        );
        if (!Bun.deepEquals(store, other))
          differences.push({ number: number + i, request: command.request, store, redis: other });
      }
    }
  } finally {
    client.close();
    await redis.stop();
  }
  return differences.slice(0, differencesMax);
}

/** A command that waits gets its reply when its time is over. */
function timeOut(
  mine: ReturnType<typeof testStore>["client"],
  time: ReturnType<typeof testStore>["time"],
): unknown {
  time.advance(2);
  return mine.pushed.pop();
}

/** Replies of a transaction come with EXEC; their orders are kept until then. */
function orderOf(
  { request, order }: Drawn,
  inTransaction: Order[],
  reply: unknown,
): Order | readonly Order[] {
  if (reply === "QUEUED") inTransaction.push(order);
  if (request[0] === "EXEC" || request[0] === "DISCARD") {
    const orders = inTransaction.splice(0);
    if (Array.isArray(reply)) return orders;
  }
  return reply === "QUEUED" ? "same" : order;
}

/** Encodings of what is packed or not: Redis keeps that of a large value when a copy of it has become small. */
const PACKED_OR_NOT = ["$listpack", "$skiplist", "$hashtable"];

/** Without what is no part of Redis' contract: the sign of zero depends on how it holds a set, some encodings on the past. */
function settled(reply: unknown): unknown {
  if (Array.isArray(reply)) return reply.map(settled);
  if (typeof reply === "string" && PACKED_OR_NOT.includes(reply)) return "packed or not";
  return reply === "$-0" ? "$0" : Object.is(reply, -0) ? 0 : reply;
}

function comparable(reply: unknown, order: Order | readonly Order[]): unknown {
  if (typeof order !== "string")
    return Array.isArray(reply) ? reply.map((item, i) => comparable(item, order[i] ?? "same")) : reply;
  if (order === "time" && typeof reply === "number") return Math.min(1, reply);
  if (!Array.isArray(reply))
    return order === "shape" && typeof reply === "string" && !reply.startsWith("-") ? "text" : reply;
  if (order === "any") return reply.map((item) => JSON.stringify(item)).toSorted(byText);
  if (order === "shape") return reply.length;
  if (order === "same") return reply;
  const pairs = Array.from({ length: reply.length / 2 }, (_, i) =>
    JSON.stringify([reply[2 * i], reply[2 * i + 1]]),
  );
  return pairs.toSorted(byText);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      commands: { type: "string", default: "100000" },
      seed: { type: "string", default: "1" },
      protocol: { type: "string", default: "2" },
    },
  });
  const [commands, seed] = [Number(values.commands), Number(values.seed)];
  const protocol = values.protocol === "3" ? 3 : 2;
  const differences = await compare({ commands, seed, protocol, differencesMax: 20 });
  for (const difference of differences) console.log(JSON.stringify(difference).slice(0, 600));
  console.log(`${commands} commands, seed ${seed}, RESP${protocol}: ${differences.length} differences`);
  process.exit(differences.length === 0 ? 0 : 1);
}
