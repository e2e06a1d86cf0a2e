/** Answers in a store that speaks RESP, shared by all processes: one JSON text per answer, exact since all in it is text. */
import { ReplyError, textOf } from "../../../resp/index.ts";
import type { Answer } from "../answer.ts";
import { type RespCaller, STORE_DEADLINE_MS } from "../versions/resp-versions.ts";
import type { ResultStore } from "./results.ts";

/** What it is made of. */
export interface RespResultsOptions {
  readonly store: RespCaller;
  /** Before all keys. Default "tq:r:". */
  readonly prefix?: string;
  /** Longest wait for the store. Default 50 ms. */
  readonly deadlineMs?: number;
}

/** The format's number: an answer of another one is no answer. */
const FORMAT = 1;

type Kept = readonly [number, readonly string[], Answer];

/** Makes a store of answers in a store. */
export function respResults({
  store,
  prefix = "tq:r:",
  deadlineMs = STORE_DEADLINE_MS,
}: RespResultsOptions): ResultStore {
  return {
    get: async (key) => {
      const [reply] = await store.pipeline([["GET", prefix + key]], deadlineMs);
      if (reply instanceof ReplyError) throw reply;
      const text = textOf(reply);
      if (text === undefined) return undefined;
      const [format, versions, answer] = JSON.parse(text) as Kept;
      return format === FORMAT ? { versions, answer } : undefined;
    },
    set: async (key, { versions, answer }, ttlMs) => {
      const kept: Kept = [FORMAT, versions, answer];
      const px = String(Math.max(1, Math.floor(ttlMs)));
      const [reply] = await store.pipeline(
        [["SET", prefix + key, JSON.stringify(kept), "PX", px]],
        deadlineMs,
      );
      if (reply instanceof ReplyError) throw reply;
    },
  };
}
