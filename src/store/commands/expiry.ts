/** When keys expire. */
import type { Call } from "../call.ts";
import { type CommandTable, ONE_KEY, row } from "../command.ts";
import { ERR, invalidExpire } from "../replies.ts";
import { expiryTime } from "./expiry-options.ts";

interface Conditions {
  nx: boolean;
  xx: boolean;
  gt: boolean;
  lt: boolean;
}

/** NX, XX, GT and LT; replies the error and gives undefined when they do not go together. */
function conditions(call: Call): Conditions | undefined {
  const found: Conditions = { nx: false, xx: false, gt: false, lt: false };
  for (let place = 3; place < call.count; place++) {
    const word = call.word(place).toLowerCase();
    if (word === "nx" || word === "xx" || word === "gt" || word === "lt") {
      found[word] = true;
      continue;
    }
    call.fail(`ERR Unsupported option ${call.text(place)}`);
    return undefined;
  }
  if (found.nx && (found.xx || found.gt || found.lt)) call.fail(ERR.nxXxGtLt);
  else if (found.gt && found.lt) call.fail("ERR GT and LT options at the same time are not compatible");
  else return found;
  return undefined;
}

function expire(call: Call, unitMs: number, fromNow: boolean): void {
  const value = call.integer(2);
  if (value === undefined) return;
  const allowed = conditions(call);
  if (allowed === undefined) return;
  const { space } = call;
  const atMs = expiryTime(value, unitMs, fromNow ? space.ground.nowMs : 0);
  if (atMs === undefined) return call.fail(invalidExpire(call.name));
  const ref = call.find(1);
  if (ref === 0) return call.out.integer(0);
  if (!mayChange(space.dict.expiry(ref), atMs, allowed)) return call.out.integer(0);
  if (atMs <= space.ground.nowMs) {
    space.remove(ref);
    call.logAs("DEL", call.copy(1));
  } else {
    space.setExpiry(ref, atMs);
    call.logAs("PEXPIREAT", call.copy(1), String(atMs));
  }
  call.changed(1);
  call.out.integer(1);
}

/** A key that does not expire counts as infinitely far. */
function mayChange(presentMs: number, atMs: number, { nx, xx, gt, lt }: Conditions): boolean {
  const present = presentMs === 0 ? Number.POSITIVE_INFINITY : presentMs;
  if (nx && presentMs !== 0) return false;
  if (xx && presentMs === 0) return false;
  if (gt && atMs <= present) return false;
  return !(lt && atMs >= present);
}

/** The time left, or the moment, in units; -1 for never, -2 for no such key. */
function timeLeft(call: Call, unitMs: number, absolute: boolean): void {
  const ref = call.space.peek(call.bytes, call.start(1), call.end(1));
  if (ref === 0) return call.out.integer(-2);
  const atMs = call.space.dict.expiry(ref);
  if (atMs === 0) return call.out.integer(-1);
  const ms = absolute ? atMs : Math.max(0, atMs - call.space.ground.nowMs);
  call.out.integer(Math.floor((ms + unitMs / 2) / unitMs));
}

function persist(call: Call): void {
  const ref = call.find(1);
  if (ref === 0 || call.space.dict.expiry(ref) === 0) return call.out.integer(0);
  call.space.setExpiry(ref, 0);
  call.changed(1);
  call.out.integer(1);
}

/** Commands about expiry. */
export const EXPIRY: CommandTable = {
  expire: row(-3, "write fast", ONE_KEY, "keyspace", (call) => expire(call, 1000, true)),
  pexpire: row(-3, "write fast", ONE_KEY, "keyspace", (call) => expire(call, 1, true)),
  expireat: row(-3, "write fast", ONE_KEY, "keyspace", (call) => expire(call, 1000, false)),
  pexpireat: row(-3, "write fast", ONE_KEY, "keyspace", (call) => expire(call, 1, false)),
  ttl: row(2, "readonly fast", ONE_KEY, "keyspace", (call) => timeLeft(call, 1000, false)),
  pttl: row(2, "readonly fast", ONE_KEY, "keyspace", (call) => timeLeft(call, 1, false)),
  expiretime: row(2, "readonly fast", ONE_KEY, "keyspace", (call) => timeLeft(call, 1000, true)),
  pexpiretime: row(2, "readonly fast", ONE_KEY, "keyspace", (call) => timeLeft(call, 1, true)),
  persist: row(2, "write fast", ONE_KEY, "keyspace", persist),
};
