/** What is not worth keeping: folders whose responses hardly anybody asks for again, on enough evidence. */
import type { CacheUsage, FolderUse, Use } from "../../edge/index.ts";
import { MONTH_MS, type Upstream, upstreamGb } from "./costs.ts";
import type { CachePrices } from "./prices.ts";

/** Responses of a folder that are old enough to be judged: at 50 a share of 90 % is between 79 % and 96 % (Wilson, 95 %). */
export const EVIDENCE_MIN = 50;

/** Share of them that nobody asked for again, from which on keeping them is in question. */
export const UNASKED_SHARE = 0.9;

/** Named at most. */
const ADVISED_MAX = 20;

/** What a group costs and saves by the month, of all that is stored: a sample is scaled up. */
export interface Balance {
  readonly bytes: number;
  readonly costs: number;
  readonly saves: number;
  /** Clients that got one of its responses, for each megabyte that it takes. */
  readonly hitsPerMb: number;
}

/** Weighs a group's memory against the bytes and requests that it spares the targets. */
export function balanceOf(use: Use, looked: number, prices: CachePrices, upstream: Upstream): Balance {
  const months = MONTH_MS / 1000 / looked;
  const bytes = use.bytes / looked;
  const saved = ((use.hitBytesPerS * months) / 1e9) * upstreamGb(prices, upstream);
  return {
    bytes,
    costs: (bytes / 1e9) * prices.memoryGbPerMonth,
    saves: saved + ((use.hitsPerS * months) / 1e6) * prices.originMillionRequests,
    hitsPerMb: use.bytes === 0 ? 0 : use.hits / (use.bytes / 1e6),
  };
}

/** A folder that is better left out. */
export interface Advised {
  readonly folder: FolderUse;
  readonly balance: Balance;
}

/** What comes of a look. */
export type Advice =
  /** No folder has enough responses that are old enough; `most` is what the best one has. */
  | { readonly kind: "too-early"; readonly most: number }
  /** `judged` folders had enough; `advised` are in order of what they take. */
  | { readonly kind: "judged"; readonly judged: number; readonly advised: readonly Advised[] };

/** Judges every folder; one below a folder that is advised is not named again. */
export function adviceOf(usage: CacheUsage, prices: CachePrices, upstream: Upstream): Advice {
  const judged = usage.folders.filter(({ name, settled }) => settled >= EVIDENCE_MIN && name.endsWith("/"));
  if (judged.length === 0)
    return { kind: "too-early", most: Math.max(0, ...usage.folders.map(({ settled }) => settled)) };
  const poor = judged.flatMap((folder): Advised[] => {
    const balance = balanceOf(folder, usage.looked, prices, upstream);
    const isPoor = folder.unasked / folder.settled >= UNASKED_SHARE && balance.costs >= balance.saves;
    return isPoor ? [{ folder, balance }] : [];
  });
  const advised = poor.filter(({ folder }) => !poor.some((other) => isBelow(folder, other.folder)));
  return { kind: "judged", judged: judged.length, advised: advised.slice(0, ADVISED_MAX) };
}

function isBelow({ name }: FolderUse, other: FolderUse): boolean {
  return name !== other.name && name.startsWith(other.name);
}

/** What may stand in a path of a rule as it is; anything else would be a pattern, or is better written by a person. */
const PLAIN_PATH = /^[\w\-./~%@+,=]+$/;

/** The rule that leaves a folder out, to stand before the one that keeps it; undefined where it has to be written by hand. */
export function excludingRule({ name }: FolderUse, forward: string | undefined): string | undefined {
  const slash = name.indexOf("/");
  const host = name.slice(0, slash).replace(/:\d+$/, "");
  const path = name.slice(slash);
  if (!PLAIN_PATH.test(path) || forward === undefined) return undefined;
  const match = `{ host: ${JSON.stringify(host)}, path: ${JSON.stringify(`${path}*`)} }`;
  return `{ match: ${match}, cache: false, forward: ${JSON.stringify(forward)} }`;
}
