/** Cursor, MATCH, COUNT and TYPE of SCAN, HSCAN, SSCAN and ZSCAN. */
import type { Call } from "../call.ts";
import { ERR } from "../replies.ts";

/** What a scan asks for. */
export interface ScanOptions {
  readonly cursor: number;
  readonly count: number;
  readonly pattern: Uint8Array | undefined;
  readonly type: string | undefined;
}

const COUNT = 10;

/** Reads the cursor at `place` and what follows; replies the error and gives undefined when something is wrong. */
export function scanOptions(call: Call, place: number): ScanOptions | undefined {
  const cursor = call.text(place);
  if (!/^\d{1,20}$/.test(cursor)) return fail(call, ERR.cursor);
  let count = COUNT;
  let pattern: Uint8Array | undefined;
  let type: string | undefined;
  for (let at = place + 1; at < call.count; at += 2) {
    const word = call.word(at);
    if (at + 1 >= call.count) return fail(call, ERR.syntax);
    if (word === "COUNT") {
      count = call.integerOrNaN(at + 1);
      if (Number.isNaN(count)) return fail(call, ERR.notInteger);
      if (count < 1) return fail(call, ERR.syntax);
    } else if (word === "MATCH") {
      pattern = call.text(at + 1) === "*" ? undefined : call.copy(at + 1);
    } else if (word === "TYPE" && place === 1) {
      type = call.text(at + 1).toLowerCase();
    } else {
      return fail(call, ERR.syntax);
    }
  }
  // A cursor that nobody was given begins somewhere.
  return { cursor: Number(BigInt(cursor) % 2n ** 32n), count, pattern, type };
}

function fail(call: Call, error: string): undefined {
  call.fail(error);
  return undefined;
}
