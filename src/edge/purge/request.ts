/**
 * A request to purge, from the JSON that an API takes: parsed whole, every problem told at once.
 *
 *   { urls?, tags?, prefixes?: string[], everything?: true, soft?, dryRun?, count?: boolean }
 */
import { nearest, type Problem } from "../../config/index.ts";
import { TAG_BYTES_MAX } from "../policy/tags.ts";
import { isFault, readPrefix, readUrl, type Spellings } from "./address.ts";
import type { TargetUrl } from "./hashes.ts";

/** Things that one request may name: each is a turn of the controller's work, and a line of its log. */
export const PURGE_ITEMS_MAX = 100;

/** One thing to purge; `text` is as it was written. */
export type PurgeItem =
  | { readonly kind: "url"; readonly text: string; readonly spellings: readonly TargetUrl[] }
  | { readonly kind: "prefix"; readonly text: string; readonly spellings: readonly TargetUrl[] }
  | { readonly kind: "tag"; readonly text: string }
  | { readonly kind: "everything"; readonly text: "" };

/** What to purge, and how. */
export interface PurgeRequest {
  readonly items: readonly PurgeItem[];
  /** What is purged stays usable as stale. */
  readonly soft: boolean;
  /** Counts, and changes nothing. */
  readonly dryRun: boolean;
  /** Counts what it concerns before it purges: work for each stored response. */
  readonly count: boolean;
}

/** The request, or all that is wrong with it. */
export type PurgeReading =
  | { readonly kind: "request"; readonly request: PurgeRequest }
  | { readonly kind: "problems"; readonly problems: readonly Problem[] };

const LISTS = ["urls", "tags", "prefixes"] as const;
const FLAGS = ["soft", "dryRun", "count"] as const;
const FIELDS: readonly string[] = [...LISTS, "everything", ...FLAGS];

/** Reads the body of a request to purge. */
export function readPurgeRequest(body: Readonly<Record<string, unknown>>): PurgeReading {
  const problems: Problem[] = [];
  const report = (path: string, what: string, mend: string): undefined =>
    void problems.push({ path, what, mend });
  for (const name of Object.keys(body)) if (!FIELDS.includes(name)) reportUnknown(name, report);
  for (const name of FLAGS) {
    if (!["boolean", "undefined"].includes(typeof body[name]))
      report(name, "is no flag", "write true or false");
  }
  const items = LISTS.flatMap((name) => readList(name, body[name], report));
  const all = readEverything(body, report);
  const named = LISTS.reduce((sum, name) => sum + lengthOf(body[name]), 0);
  if (named > PURGE_ITEMS_MAX)
    report("request", `names ${named} things`, `name at most ${PURGE_ITEMS_MAX}, and send another`);
  if (named === 0 && !all && problems.length === 0)
    report("request", "names nothing to purge", "give urls, tags, prefixes or everything");
  if (problems.length > 0) return { kind: "problems", problems };
  const { soft, dryRun, count } = body;
  return {
    kind: "request",
    request: {
      items: all ? [{ kind: "everything", text: "" }] : items,
      soft: soft === true,
      dryRun: dryRun === true,
      count: count === true,
    },
  };
}

/** "tag product-17", as logs and answers call it. */
export function describeItem({ kind, text }: PurgeItem): string {
  return text === "" ? kind : `${kind} ${text}`;
}

type Report = (path: string, what: string, mend: string) => undefined;

function reportUnknown(name: string, report: Report): void {
  const near = nearest(name, FIELDS);
  report(
    name,
    "is no field of a purge",
    near === undefined ? `use ${FIELDS.join(", ")}` : `did you mean ${near}?`,
  );
}

function readEverything(body: Readonly<Record<string, unknown>>, report: Report): boolean {
  const { everything } = body;
  if (everything === undefined) return false;
  if (everything !== true) report("everything", "is not true", "write true, or leave it out");
  if (LISTS.some((name) => lengthOf(body[name]) > 0))
    report("everything", "stands beside single things", "leave it out, or them");
  return everything === true;
}

function readList(name: (typeof LISTS)[number], value: unknown, report: Report): PurgeItem[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    report(name, "is no list", `write ["…"]`);
    return [];
  }
  // More than are taken are not looked at one by one: whoever sends a million must not be worth a million problems.
  return value.slice(0, PURGE_ITEMS_MAX).flatMap((text: unknown, index) => {
    const path = `${name}[${index}]`;
    if (typeof text === "string" && text !== "") return ITEM_READERS[name](text, path, report) ?? [];
    return report(path, text === "" ? "is empty" : "is no text", 'write a text such as "…"') ?? [];
  });
}

const ITEM_READERS: Readonly<
  Record<(typeof LISTS)[number], (text: string, path: string, report: Report) => PurgeItem | undefined>
> = {
  urls: (text, path, report) => spelled("url", text, readUrl(text), { path, report }),
  prefixes: (text, path, report) => spelled("prefix", text, readPrefix(text), { path, report }),
  tags: (text, path, report) => {
    const tag = text.trim();
    if (tag === "") return report(path, "is blank", "write a tag");
    if (tag.length > TAG_BYTES_MAX)
      return report(
        path,
        `has ${tag.length} characters`,
        `no response has a tag of more than ${TAG_BYTES_MAX}`,
      );
    // oxlint-disable-next-line no-control-regex -- what is looked for
    if (/[\x00-\x1f\x7f]/.test(tag)) return report(path, "holds a control character", "no header has one");
    return { kind: "tag", text: tag };
  },
};

function spelled(
  kind: "url" | "prefix",
  text: string,
  read: Spellings,
  { path, report }: { readonly path: string; readonly report: Report },
): PurgeItem | undefined {
  return isFault(read) ? report(path, read.what, read.mend) : { kind, text, spellings: read };
}

function lengthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}
