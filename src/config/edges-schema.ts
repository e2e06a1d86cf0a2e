/** The schema of `fallback` of a group and of `edges`. */
import { EDGE_ROLES, type EdgeConfig, type FallbackConfig } from "./edges.ts";
import { report } from "./problem.ts";
import { bySort, leaf, mapped, object, type Shape } from "./shape.ts";
import { integer, name, text, word } from "./values.ts";

/** What a group that stands in may have to take; as many as a worker may have connections. */
const REQUESTS_MAX = 65_535;

/** The group alone, or with its cap. */
export const fallback: Shape<Partial<FallbackConfig>> = bySort<Partial<FallbackConfig>>(
  {
    string: mapped(name, (group) => ({ group })),
    object: object<Partial<FallbackConfig>>(
      { group: name, requestsMax: integer({ min: 1, max: REQUESTS_MAX }) },
      { required: ["group"] },
    ),
  },
  'a group such as "origin", or { group, requestsMax }',
);

/** What the token is sent over. On loopback nobody listens in. */
const admin: Shape<string> = leaf(
  'a URL such as "https://10.0.0.2:7070"',
  "string",
  (value: string, place) => {
    if (!URL.canParse(value)) return undefined;
    const { protocol, hostname, origin, pathname, search, hash, username } = new URL(value);
    if (protocol !== "https:" && protocol !== "http:") return undefined;
    if (`${pathname}${search}${hash}${username}` !== "/")
      return report(place, "holds more than a scheme, a host and a port", `write "${origin}"`);
    if (protocol === "http:" && !isLoopback(hostname))
      return report(
        place,
        "would send the token unencrypted",
        `write "https://…", or reach it by a tunnel on 127.0.0.1`,
      );
    return origin;
  },
);

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** An installation as the user's file says it. */
export type EdgeDraft = Partial<Omit<EdgeConfig, "name">>;

/** One of `edges`. */
export const edge: Shape<EdgeDraft> = object<EdgeDraft>(
  { admin, tokenFile: text("a file", 4096), role: word(EDGE_ROLES) },
  { required: ["admin", "tokenFile"] },
);
