/** CLIENT: what a connection says about itself, and client-side caching. */
import type { Call } from "../call.ts";
import { type CommandTable, NO_KEYS, rowOfMany, type Subcommands } from "../command.ts";
import { ERR } from "../replies.ts";
import type { Session } from "../session.ts";
import { isName } from "./connection.ts";

/** One line about a client, as in CLIENT LIST. */
function describe(call: Call, session: Session): string {
  const { nowMs } = call.space.ground;
  const seconds = (sinceMs: number): number => Math.floor((nowMs - sinceMs) / 1000);
  const flags = [
    session.isMonitor ? "O" : "",
    session.subscriptions > 0 ? "P" : "",
    session.queue === undefined ? "" : "x",
    session.tracking === undefined ? "" : "t",
    session.tracking?.broadcast === true ? "B" : "",
    session.waiting === undefined ? "" : "b",
    session.noEvict ? "e" : "",
  ].join("");
  return [
    `id=${session.id}`,
    `addr=${session.address}`,
    `name=${session.name}`,
    `age=${seconds(session.sinceMs)}`,
    `idle=${seconds(session.lastMs)}`,
    `flags=${flags || "N"}`,
    `db=${session.database}`,
    `sub=${session.channels?.size ?? 0}`,
    `psub=${session.patterns?.size ?? 0}`,
    `ssub=${session.shardChannels?.size ?? 0}`,
    `multi=${session.queue?.length ?? -1}`,
    `multi-mem=${session.queueBytes}`,
    `omem=${session.sink.unsentBytes}`,
    `cmd=${session.lastCommand}`,
    `user=${session.user?.name ?? "(superuser)"}`,
    `redir=${session.tracking?.redirect ?? -1}`,
    `resp=${session.protocol}`,
    `lib-name=${session.library}`,
    `lib-ver=${session.libraryVersion}`,
  ].join(" ");
}

/** What clients are sorted into; there are no replicas. */
const CLIENT_TYPES: readonly string[] = ["normal", "pubsub", "master", "replica", "slave"];

function typeOf({ subscriptions }: Session): string {
  return subscriptions > 0 ? "pubsub" : "normal";
}

function setName(call: Call): void {
  const name = call.text(2);
  if (!isName(name))
    return call.fail("ERR Client names cannot contain spaces, newlines or special characters.");
  call.session.name = name;
  call.ok();
}

function setInfo(call: Call): void {
  const word = call.text(2).toLowerCase();
  const value = call.text(3);
  if (!isName(value)) return call.fail(`ERR ${word} cannot contain spaces, newlines or special characters.`);
  if (word === "lib-name") call.session.library = value;
  else if (word === "lib-ver") call.session.libraryVersion = value;
  else return call.fail(`ERR Unrecognized option '${call.text(2)}'`);
  call.ok();
}

function list(call: Call): void {
  let sessions = [...call.store.sessions.values()];
  if (call.count > 3 && call.word(2) === "ID") {
    const ids = new Set(Array.from({ length: call.count - 3 }, (_, i) => call.integerOrNaN(i + 3)));
    sessions = sessions.filter(({ id }) => ids.has(id));
  } else if (call.count === 4 && call.word(2) === "TYPE") {
    const wanted = call.text(3).toLowerCase();
    if (!CLIENT_TYPES.includes(wanted)) return call.fail(`ERR Unknown client type '${call.text(3)}'`);
    sessions = sessions.filter((session) => typeOf(session) === wanted);
  } else if (call.count > 2) return call.fail(ERR.syntax);
  call.out.verbatim(sessions.map((session) => `${describe(call, session)}\n`).join(""));
}

function kill(call: Call): void {
  const { store } = call;
  const matches = killFilter(call);
  if (matches === undefined) return;
  const victims = [...store.sessions.values()].filter((session) => matches(session));
  for (const session of victims) {
    if (session === call.session) session.closing = true;
    else session.sink.close();
  }
  if (call.count > 3) return call.out.integer(victims.length);
  if (victims.length > 0) call.ok();
  else call.fail("ERR No such client");
}

/** Who is to be closed; undefined after the error was replied. */
function killFilter(call: Call): ((session: Session) => boolean) | undefined {
  if (call.count === 3) return ({ address }) => address === call.text(2);
  let skipsMe = true;
  const filters: ((session: Session) => boolean)[] = [];
  for (let place = 2; place < call.count; place += 2) {
    const [word, value] = [call.word(place), call.text(place + 1)];
    if (place + 1 >= call.count) return fail(call, ERR.syntax);
    if (word === "ID") {
      if (!/^[1-9]\d{0,18}$/.test(value)) return fail(call, "ERR client-id should be greater than 0");
      filters.push(({ id }) => String(id) === value);
    } else if (word === "ADDR") filters.push(({ address }) => address === value);
    else if (word === "USER") {
      if (!call.store.acl.users.has(value)) return fail(call, `ERR No such user '${value}'`);
      filters.push(({ user }) => user?.name === value);
    } else if (word === "TYPE") {
      const wanted = value.toLowerCase();
      if (!CLIENT_TYPES.includes(wanted)) return fail(call, `ERR Unknown client type '${value}'`);
      filters.push((session) => typeOf(session) === wanted);
    } else if (word === "SKIPME" && /^(?:yes|no)$/i.test(value)) skipsMe = value.toLowerCase() === "yes";
    else return fail(call, ERR.syntax);
  }
  return (session) => !(skipsMe && session === call.session) && filters.every((filter) => filter(session));
}

function fail(call: Call, error: string): undefined {
  call.fail(error);
  return undefined;
}

function reply(call: Call): void {
  const word = call.word(2);
  const { session } = call;
  if (word === "ON") {
    session.replies = "on";
    return call.ok();
  }
  if (word !== "OFF" && word !== "SKIP") return call.fail(ERR.syntax);
  if (word === "OFF") session.replies = "off";
  else if (session.replies !== "off") session.replies = "skip-next";
  return undefined;
}

// --- client-side caching --------------------------------------------------------------------------------------

function tracking(call: Call): void {
  const word = call.word(2);
  const { session, store } = call;
  if (word !== "ON" && word !== "OFF") return call.fail(ERR.syntax);
  const options = trackingOptions(call);
  if (options === undefined) return;
  if (word === "OFF") {
    store.tracking.stop(session);
    return call.ok();
  }
  const { broadcast, optIn, optOut, prefixes, redirect } = options;
  if (!broadcast && prefixes.length > 0)
    return call.fail("ERR PREFIX option requires BCAST mode to be enabled");
  if (broadcast && (optIn || optOut)) return call.fail("ERR OPTIN and OPTOUT are not compatible with BCAST");
  if (optIn && optOut) return call.fail("ERR You can't use OPTIN and OPTOUT at the same time");
  const present = session.tracking;
  if (present !== undefined && present.broadcast !== broadcast)
    return call.fail(
      "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.",
    );
  if (redirect !== 0 && !store.sessions.has(redirect))
    return call.fail("ERR The client ID you want redirect to does not exist");
  const existing = present?.prefixes ?? [];
  const taken = prefixes.flatMap((prefix) =>
    existing
      .filter((other) => other.startsWith(prefix) || prefix.startsWith(other))
      .map((other) => [prefix, other]),
  )[0];
  if (taken !== undefined)
    return call.fail(
      `ERR Prefix '${taken[0]}' overlaps with an existing prefix '${taken[1]}'. Prefixes for a single client must not overlap.`,
    );
  const clash = overlapping(prefixes);
  if (clash !== undefined)
    return call.fail(
      `ERR Prefix '${clash[0]}' overlaps with another provided prefix '${clash[1]}'. Prefixes for a single client must not overlap.`,
    );
  store.tracking.start(session, {
    ...options,
    prefixes: [...existing, ...prefixes],
    caching: undefined,
  });
  call.ok();
}

interface TrackingOptions {
  broadcast: boolean;
  optIn: boolean;
  optOut: boolean;
  noLoop: boolean;
  redirect: number;
  prefixes: string[];
}

function trackingOptions(call: Call): TrackingOptions | undefined {
  const options: TrackingOptions = {
    broadcast: false,
    optIn: false,
    optOut: false,
    noLoop: false,
    redirect: 0,
    prefixes: [],
  };
  for (let place = 3; place < call.count; place++) {
    const word = call.word(place);
    if (word === "BCAST") options.broadcast = true;
    else if (word === "OPTIN") options.optIn = true;
    else if (word === "OPTOUT") options.optOut = true;
    else if (word === "NOLOOP") options.noLoop = true;
    else if (word === "PREFIX" && place + 1 < call.count) options.prefixes.push(call.text(++place));
    else if (word === "REDIRECT" && place + 1 < call.count) {
      options.redirect = call.integerOrNaN(++place);
      if (Number.isNaN(options.redirect)) return fail(call, ERR.notInteger);
    } else return fail(call, ERR.syntax);
  }
  return options;
}

function overlapping(prefixes: readonly string[]): readonly [string, string] | undefined {
  for (const [i, a] of prefixes.entries())
    for (const b of prefixes.slice(i + 1)) if (a.startsWith(b) || b.startsWith(a)) return [a, b];
  return undefined;
}

function caching(call: Call): void {
  const present = call.session.tracking;
  const word = call.word(2);
  if (present === undefined)
    return call.fail(
      "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
    );
  if (word !== "YES" && word !== "NO") return call.fail(ERR.syntax);
  if (word === "YES" && !present.optIn)
    return call.fail("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
  if (word === "NO" && !present.optOut)
    return call.fail("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
  present.caching = word === "YES";
  call.ok();
}

function trackingInfo(call: Call): void {
  const { out, session } = call;
  const present = session.tracking;
  const flags =
    present === undefined
      ? ["off"]
      : [
          "on",
          ...(present.broadcast ? ["bcast"] : []),
          ...(present.optIn ? ["optin"] : []),
          ...(present.optOut ? ["optout"] : []),
          ...(present.noLoop ? ["noloop"] : []),
        ];
  out.map(3);
  out.bulkText("flags");
  out.set(flags.length);
  for (const flag of flags) out.bulkText(flag);
  out.bulkText("redirect");
  out.integer(present === undefined ? -1 : present.redirect);
  out.bulkText("prefixes");
  out.array(present?.prefixes.length ?? 0);
  for (const prefix of present?.prefixes ?? []) out.bulkText(prefix);
}

function unblock(call: Call): void {
  const id = call.integer(2);
  if (id === undefined) return;
  const word = call.count > 3 ? call.word(3) : "TIMEOUT";
  if (word !== "TIMEOUT" && word !== "ERROR")
    return call.fail("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  const session = call.store.sessions.get(id);
  const error = word === "ERROR" ? "UNBLOCKED client unblocked via CLIENT UNBLOCK" : undefined;
  call.out.integer(session !== undefined && call.store.unblock(session, error) ? 1 : 0);
}

function noEvict(call: Call): void {
  const word = call.word(2);
  if (word !== "ON" && word !== "OFF") return call.fail(ERR.syntax);
  call.session.noEvict = word === "ON";
  call.ok();
}

const SUBCOMMANDS: Subcommands = {
  ID: [2, (call) => call.out.integer(call.session.id)],
  GETNAME: [2, (call) => (call.session.name === "" ? call.out.null() : call.out.bulkText(call.session.name))],
  SETNAME: [3, setName],
  SETINFO: [4, setInfo],
  INFO: [2, (call) => call.out.verbatim(`${describe(call, call.session)}\n`)],
  LIST: [-2, list],
  KILL: [-3, kill],
  REPLY: [3, reply],
  TRACKING: [-3, tracking],
  TRACKINGINFO: [2, trackingInfo],
  CACHING: [3, caching],
  GETREDIR: [2, (call) => call.out.integer(call.session.tracking?.redirect ?? -1)],
  UNBLOCK: [-3, unblock],
  "NO-EVICT": [3, noEvict],
  "NO-TOUCH": [3, (call) => call.ok()],
};

/** CLIENT. */
export const CLIENT: CommandTable = {
  client: rowOfMany(-2, "noscript loading stale", NO_KEYS, "connection", SUBCOMMANDS),
};
