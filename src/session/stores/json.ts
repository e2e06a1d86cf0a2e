/**
 * Records in the format of connect-redis: one JSON text per session under `sess:<id>`, with an expiry in seconds.
 *
 * For apps that come from there and must not sign anybody out. A patch is GET, merge, SET under WATCH, tried again
 * when another request was quicker: two requests that change different fields both keep theirs.
 */
import { applied, applyPatch, type Patch, type PatchOutcome, type RecordStore } from "../store.ts";
import type { StoreCommands } from "./commands.ts";

/** The prefix of connect-redis. */
export const CONNECT_REDIS_PREFIX = "sess:";

/**
 * How often a patch that lost against another is tried. Each round somebody wins, so this is how many requests of one
 * session may write at the same moment; a browser opens six connections per host.
 */
const ATTEMPTS_MAX = 64;

/** A store of JSON texts. Its version is the text itself. @throws Error from `patch` after 64 lost races in a row. */
export function jsonStore(commands: StoreCommands, prefix: string = CONNECT_REDIS_PREFIX): RecordStore {
  return {
    load: async (key) => {
      const text = await commands.send(["GET", prefix + key]);
      return typeof text === "string" ? { fields: fieldsOf(text), version: text } : undefined;
    },
    create: async (key, fields, ttlMs) => {
      await commands.send(["SET", prefix + key, textOf(fields), "EX", seconds(ttlMs)]);
    },
    patch: async (key, patch) => {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        // oxlint-disable-next-line no-await-in-loop -- each try waits for the outcome of the one before
        const outcome = await tryPatch(commands, prefix + key, patch);
        if (outcome !== undefined) return outcome;
      }
      throw new Error(`the session changed ${ATTEMPTS_MAX} times while one patch was tried`);
    },
    remove: async (key) => Number(await commands.send(["DEL", prefix + key])) > 0,
  };
}

/** Undefined when another writer came in between. */
async function tryPatch(
  commands: StoreCommands,
  name: string,
  patch: Patch,
): Promise<PatchOutcome | undefined> {
  let outcome: PatchOutcome = applied();
  let isChosen = false;
  const replies = await commands.watched(name, async (send) => {
    const text = await send(["GET", name]);
    if (typeof text !== "string") outcome = { status: "gone" };
    else if (patch.ifVersion !== undefined && patch.ifVersion !== text) outcome = { status: "conflict" };
    else {
      const fields = fieldsOf(text);
      outcome = applyPatch(fields, patch);
      isChosen = true;
      return [["SET", name, textOf(fields), "EX", seconds(patch.ttlMs)]];
    }
    return undefined;
  });
  return isChosen && replies === undefined ? undefined : outcome;
}

/** Each property as its own JSON text. A text that is no object reads as a session without fields. */
function fieldsOf(text: string): Map<string, string> {
  const parsed: unknown = JSON.parse(text);
  const entries = typeof parsed === "object" && parsed !== null ? Object.entries(parsed) : [];
  return new Map(entries.map(([name, value]) => [name, JSON.stringify(value)]));
}

function textOf(fields: ReadonlyMap<string, string>): string {
  return `{${[...fields].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
}

/** connect-redis rounds up too. */
function seconds(ttlMs: number): string {
  return String(Math.max(1, Math.ceil(ttlMs / 1000)));
}
