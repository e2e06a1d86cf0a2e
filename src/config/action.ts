/**
 * What a rule does with a request that it matched: forward, redirect or respond, with their shorthands.
 *
 * `forward: "web"`, `redirect: "https://{host}{path}{query}"` and `respond: 404` stand for the long forms.
 */
import type { ActionConfig } from "./config.ts";
import { choice, nearestMend } from "./nearest.ts";
import { below, type Place, report } from "./problem.ts";
import { bySort, leaf, list, mapped, object, quote, type Shape } from "./shape.ts";
import { integer, name, TOKEN } from "./values.ts";

/** The three kinds of action, as a rule's draft holds them. */
export type Forward = Extract<ActionConfig, { kind: "forward" }>;
/** See `ActionConfig`. */
export type Redirect = Extract<ActionConfig, { kind: "redirect" }>;
/** See `ActionConfig`. */
export type Respond = Extract<ActionConfig, { kind: "respond" }>;

/** Groups that one rule may share its traffic among. Canaries use two. */
const SPLIT_MAX = 32;

/** Bodies of fixed responses live in every snapshot and every worker: an error page, not a download. */
const BODY_CHARACTERS_MAX = 65_536;

/** Header fields of a fixed response. */
const RESPONSE_FIELDS_MAX = 64;

/** Longest redirect target; browsers give up not far above. */
const LOCATION_MAX = 4096;

interface ShareDraft {
  readonly group?: string;
  readonly weight?: number;
}

const share: Shape<ShareDraft> = object<ShareDraft>(
  { group: name, weight: integer({ min: 0, max: 1000 }) },
  { required: ["group"] },
);

const FORWARD_EXPECTED = '"group" or [{ group, weight }]';

/** The groups a rule forwards to; weight 1 unless given. */
export const forward: Shape<Forward> = bySort<Forward>(
  {
    string: mapped(name, (group) => ({ kind: "forward", groups: [{ group, weight: 1 }] })),
    list: leaf(FORWARD_EXPECTED, "list", split),
  },
  FORWARD_EXPECTED,
);

function split(input: unknown, place: Place): Forward | undefined {
  const shares = list(share, SPLIT_MAX, 1).read(input, place);
  if (!shares) return undefined;
  const groups = shares.flatMap(({ group, weight = 1 }) => (group === undefined ? [] : [{ group, weight }]));
  const twice = groups.findIndex(
    ({ group }, index) => groups.findIndex((other) => other.group === group) < index,
  );
  if (twice >= 0)
    report(
      below(place, twice),
      `names ${quote(groups[twice]?.group ?? "")} again`,
      "add the weights up in one entry",
    );
  if (groups.length === shares.length && groups.every(({ weight }) => weight === 0))
    report(place, "gives every group the weight 0", "give one of them a weight above 0");
  return { kind: "forward", groups };
}

const PLACEHOLDERS = ["scheme", "host", "path", "query"] as const;
const REDIRECT_STATUSES = [301, 302, 303, 307, 308] as const;
const LOCATION_EXPECTED = '"https://{host}{path}{query}"';
const REDIRECT_EXPECTED = `${LOCATION_EXPECTED} or { to, status }`;

/** Redirects are temporary unless a status says more: browsers remember a permanent mistake for ever. */
const REDIRECT_STATUS = 302;

const location: Shape<string> = leaf(LOCATION_EXPECTED, "string", (value: string, place) => {
  const unknown = [...value.matchAll(/\{([^}]*)\}/g)].find(
    ([, key = ""]) => !PLACEHOLDERS.some((known) => known === key),
  );
  if (unknown)
    return report(
      place,
      `${unknown[0]} is no placeholder`,
      nearestMend(unknown[1] ?? "", PLACEHOLDERS, "placeholder"),
    );
  if (/[^!-~]/.test(value))
    return report(place, "holds a character that URLs encode", `write "${encodeURI(value)}"`);
  if (value === "{scheme}://{host}{path}{query}")
    return report(place, "redirects every request to itself", "change the scheme, host or path");
  if (value.length > LOCATION_MAX) return report(place, "is too long", `keep to ${LOCATION_MAX} characters`);
  if (/^(https?:\/\/|\{scheme\}:\/\/|\/|\{path\})/.test(value)) return value;
  return report(place, `${quote(value)} is no URL`, 'begin with "https://", "http://", "{scheme}://" or "/"');
});

const redirectStatus: Shape<Redirect["status"]> = leaf(
  choice(REDIRECT_STATUSES.map(String)),
  "number",
  (value: number) => REDIRECT_STATUSES.find((status) => status === value),
);

interface RedirectDraft {
  readonly to?: string;
  readonly status?: Redirect["status"];
}

/** Where a rule sends its clients instead. */
export const redirect: Shape<Redirect> = bySort<Redirect>(
  {
    string: mapped(location, (to) => ({ kind: "redirect", status: REDIRECT_STATUS, location: to })),
    object: mapped(
      object<RedirectDraft>({ to: location, status: redirectStatus }, { required: ["to"] }),
      ({ to = "", status = REDIRECT_STATUS }) => ({ kind: "redirect", status, location: to }),
    ),
  },
  REDIRECT_EXPECTED,
);

type Field = readonly [name: string, value: string];

/** Fields that frame a message or belong to one connection: the gateway writes them itself (RFC 9110, 7.6.1; RFC 9112, 6). */
const OWN_FIELDS = [
  "connection",
  "content-length",
  "date",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

const responseFields: Shape<readonly Field[]> = leaf(
  "an object of header names, each a string",
  "object",
  (input: Record<string, unknown>, place) => {
    const names = Object.keys(input);
    if (names.length > RESPONSE_FIELDS_MAX)
      return report(place, `has ${names.length} fields`, `keep to ${RESPONSE_FIELDS_MAX}`);
    return names.flatMap((field) => responseField(field, input[field], below(place, field)));
  },
);

function responseField(field: string, input: unknown, place: Place): readonly Field[] {
  if (!TOKEN.test(field)) report(place, "is no header name", 'use a name such as "cache-control"');
  if (OWN_FIELDS.includes(field.toLowerCase()))
    report(place, "is written by the gateway itself", "remove it");
  const values = Array.isArray(input) ? input : [input];
  return values.flatMap((value) => {
    const read = fieldValue.read(value, place);
    return read === undefined ? [] : [[field.toLowerCase(), read] as const];
  });
}

const fieldValue: Shape<string> = leaf(
  "a header value without control characters",
  "string",
  (value: string) =>
    // RFC 9110, section 5.5: anything else could end the field and begin another.
    /^[\t -~\u0080-\u00ff]*$/.test(value) ? value.trim() : undefined,
);

interface RespondDraft {
  readonly status?: number;
  readonly body?: string;
  readonly headers?: readonly Field[];
}

/** Statuses that never have a body (RFC 9110, section 6.4.1). */
const BODILESS = [204, 205, 304];

const respondStatus = integer({ min: 200, max: 599 });

const body = leaf(`a string of at most ${BODY_CHARACTERS_MAX} characters`, "string", (value: string) =>
  value.length <= BODY_CHARACTERS_MAX ? value : undefined,
);

/** A response that the gateway makes by itself; 200 and an empty body unless given. */
export const respond: Shape<Respond> = bySort<Respond>(
  {
    number: mapped(respondStatus, (status) => ({ kind: "respond", status, headers: [], body: "" })),
    object: mapped(
      object<RespondDraft>(
        { status: respondStatus, body, headers: responseFields },
        { check: noBodyWhereNone },
      ),
      ({ status = 200, headers = [], body: content = "" }) => ({
        kind: "respond",
        status,
        headers,
        body: content,
      }),
    ),
  },
  "a status such as 404, or { status, body, headers }",
);

function noBodyWhereNone({ status = 200, body: content }: RespondDraft, place: Place): void {
  if (content && BODILESS.includes(status))
    report(below(place, "body"), `cannot go with status ${status}`, "remove it, or use 200");
}
