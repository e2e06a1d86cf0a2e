/**
 * Reads how much work waits, from the URLs that services are scaled by.
 *
 * It is asked once a second by the autoscaler and answers at once with what it heard last; being asked makes it ask in turn. So a
 * service that is gone is not asked about, and a source that hangs keeps nobody waiting.
 */
import type { Clock } from "../../base/index.ts";

/** One source. */
interface Source {
  depth: number | undefined;
  heardMs: number;
  askedMs: number;
  isAsking: boolean;
}

/** The longest time for an answer. */
const TIMEOUT_MS = 2000;

/** The shortest time between two questions. */
const INTERVAL_MS = 900;

/** A number that is older says nothing of now: the signal counts as lost, and nothing shrinks. */
const FRESH_MS = 10_000;

/** An answer is a number in JSON; a longer one is something else. */
const BODY_MAX = 64 * 1024;

/** URLs that are remembered: more than there can be services. */
const SOURCES_MAX = 1000;

/** Reads backlogs. */
export class BacklogReader {
  readonly #clock: Clock;
  readonly #sources = new Map<string, Source>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What the URL said last; undefined when it has said nothing for ten seconds. Asks it again when that is due. */
  read(url: string): number | undefined {
    const nowMs = this.#clock.nowMs();
    let source = this.#sources.get(url);
    if (source === undefined) {
      if (this.#sources.size >= SOURCES_MAX) this.#sources.clear();
      const never = Number.NEGATIVE_INFINITY;
      source = { depth: undefined, heardMs: never, askedMs: never, isAsking: false };
      this.#sources.set(url, source);
    }
    if (!source.isAsking && nowMs - source.askedMs >= INTERVAL_MS) void this.#ask(url, source);
    return nowMs - source.heardMs <= FRESH_MS ? source.depth : undefined;
  }

  async #ask(url: string, source: Source): Promise<void> {
    source.isAsking = true;
    source.askedMs = this.#clock.nowMs();
    try {
      const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS) });
      const depth = response.ok ? await depthIn(response) : undefined;
      if (depth !== undefined) Object.assign(source, { depth, heardMs: this.#clock.nowMs() });
      else await response.body?.cancel();
    } catch {
      // What it said before holds until it is too old.
    }
    source.isAsking = false;
  }
}

/** `{ "depth": 12 }`, or a number alone. */
async function depthIn(response: Response): Promise<number | undefined> {
  if (Number(response.headers.get("content-length") ?? 0) > BODY_MAX) return undefined;
  const text = await response.text();
  if (text.length > BODY_MAX) return undefined;
  const said: unknown = JSON.parse(text);
  const depth = typeof said === "object" && said !== null && "depth" in said ? said.depth : said;
  return typeof depth === "number" && depth >= 0 ? depth : undefined;
}
