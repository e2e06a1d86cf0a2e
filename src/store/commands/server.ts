/** The store itself: INFO, CONFIG, COMMAND, TIME, MEMORY and the log. */

import { bytesOf } from "../../resp/index.ts";
import { categoriesOf } from "../acl.ts";
import type { Call } from "../call.ts";
import {
  type Command,
  type CommandTable,
  eachKey,
  NO_KEYS,
  row,
  rowOfMany,
  type Subcommands,
} from "../command.ts";
import { matchesGlob } from "../glob.ts";
import { wrongArity } from "../replies.ts";
import { PARAMETERS, type Parameter, type Settings } from "../settings.ts";
import { infoText } from "./info.ts";

function info(call: Call): void {
  const sections = Array.from({ length: call.count - 1 }, (_, i) => call.text(i + 1).toLowerCase());
  call.out.verbatim(infoText(call.store, sections));
}

// --- CONFIG ---------------------------------------------------------------------------------------------------

function configGet(call: Call): void {
  const patterns = Array.from({ length: call.count - 2 }, (_, i) => bytesOf(call.text(i + 2).toLowerCase()));
  const isAsked = (name: string): boolean => {
    const bytes = bytesOf(name);
    return patterns.some((pattern) => matchesGlob(pattern, bytes, 0, bytes.length));
  };
  const { settings, log } = call.store;
  const found = Object.entries(PARAMETERS).flatMap(([name, { get }]) =>
    isAsked(name) ? [[name, get(settings)]] : [],
  );
  if (isAsked("appendonly")) found.push(["appendonly", log === undefined ? "no" : "yes"]);
  call.out.map(found.length);
  for (const text of found.flat()) call.out.bulkText(text);
}

function configSet(call: Call): void {
  if (call.count < 4 || call.count % 2 !== 0) return call.fail(wrongArity("config|set"));
  const { store } = call;
  const tried = { ...store.settings };
  const seen = new Set<string>();
  for (let place = 2; place < call.count; place += 2) {
    const name = call.text(place).toLowerCase();
    const parameter = PARAMETERS[name];
    if (parameter === undefined)
      return call.fail(`ERR Unknown option or number of arguments for CONFIG SET - '${call.text(place)}'`);
    const problem = seen.has(name)
      ? "duplicate parameter"
      : parameterProblem(parameter, tried, call.text(place + 1));
    if (problem !== undefined)
      return call.fail(`ERR CONFIG SET failed (possibly related to argument '${name}') - ${problem}`);
    seen.add(name);
  }
  Object.assign(store.settings, tried);
  store.applySettings();
  call.ok();
}

/** Sets a parameter; gives what is wrong with its value. What cannot be changed may be set to what it is. */
function parameterProblem({ get, set }: Parameter, settings: Settings, text: string): string | undefined {
  if (set === undefined) return get(settings) === text ? undefined : "can't set immutable config";
  return set(settings, text) ? undefined : "argument couldn't be parsed into a value of its kind";
}

function resetStatistics(call: Call): void {
  const { store } = call;
  store.errors = store.processed = store.hits = store.misses = 0;
  store.expired = store.evicted = store.connections = 0;
  call.ok();
}

const CONFIG: Subcommands = {
  GET: [-3, configGet],
  SET: [-4, configSet],
  RESETSTAT: [2, resetStatistics],
  REWRITE: [2, (call) => call.fail("ERR The server is running without a config file")],
};

// --- COMMAND --------------------------------------------------------------------------------------------------

function describe(call: Call, name: string, command: Command): void {
  const { out } = call;
  const [first, last, step] = command.keys;
  out.array(10);
  out.bulkText(name);
  out.integer(command.arity);
  out.set(command.flags.size);
  for (const flag of command.flags) out.simple(flag);
  out.integer(first);
  out.integer(last);
  out.integer(step);
  const categories = categoriesOf(command);
  out.set(categories.length);
  for (const category of categories) out.simple(`@${category}`);
  // Tips, key specifications and subcommands.
  for (let i = 0; i < 3; i++) out.array(0);
}

function describeAll(call: Call): void {
  const { all } = call.store.commands;
  const { out } = call;
  const word = call.count > 1 ? call.word(1) : "";
  const named = Array.from({ length: Math.max(0, call.count - 2) }, (_, i) => call.text(i + 2).toLowerCase());
  switch (word) {
    case "":
    case "INFO": {
      const names = named.length > 0 ? named : [...all.keys()];
      out.array(names.length);
      for (const name of names) {
        const known = all.get(name);
        if (known === undefined) out.nullArray();
        else describe(call, name, known);
      }
      return undefined;
    }
    case "COUNT":
      return out.integer(all.size);
    case "LIST":
      out.array(all.size);
      for (const name of all.keys()) out.bulkText(name);
      return undefined;
    case "DOCS":
      return out.map(0);
    case "GETKEYS":
      return getKeys(call);
    default:
      return call.fail(`ERR unknown subcommand '${call.text(1)}'. Try COMMAND HELP.`);
  }
}

/** COMMAND GETKEYS: the call that is asked about begins at the third word. */
function getKeys(call: Call): void {
  const known = call.store.commands.all.get(call.text(2).toLowerCase());
  if (known === undefined) return call.fail("ERR Invalid command specified");
  const { arity } = known;
  const count = call.count - 2;
  if (arity > 0 ? count !== arity : count < -arity)
    return call.fail("ERR Invalid number of arguments specified for command");
  const [starts, ends] = [Array.from(call.starts).slice(2), Array.from(call.ends).slice(2)];
  const whole = { starts: call.starts, ends: call.ends, count: call.count };
  Object.assign(call, { starts, ends, count });
  const keys: string[] = [];
  eachKey(known, call, (place) => keys.push(call.text(place)));
  Object.assign(call, whole);
  if (keys.length === 0) return call.fail("ERR The command has no key arguments");
  call.out.array(keys.length);
  for (const key of keys) call.out.bulkText(key);
}

// --- others ---------------------------------------------------------------------------------------------------

function time(call: Call): void {
  const ms = call.store.parts.clock.wallMs();
  call.out.array(2);
  call.out.bulkText(String(Math.floor(ms / 1000)));
  call.out.bulkText(String(Math.floor((ms % 1000) * 1000)));
}

function memoryUsage(call: Call): void {
  const ref = call.space.peek(call.bytes, call.start(2), call.end(2));
  if (ref === 0) call.out.null();
  else call.out.integer(call.space.bytesOf(ref));
}

const MEMORY: Subcommands = {
  USAGE: [-3, memoryUsage],
  DOCTOR: [2, (call) => call.out.verbatim("No problem is known.")],
};

function rewrite(call: Call): void {
  const { log } = call.store;
  if (log === undefined) return call.fail("ERR there is no log: the store was started without a directory");
  if (log.isRewriting) return call.fail("ERR Background append only file rewriting already in progress");
  log.rewrite();
  call.out.simple(
    call.name === "bgsave" ? "Background saving started" : "Background append only file rewriting started",
  );
}

function lastSave(call: Call): void {
  call.out.integer(Math.floor((call.store.log?.lastRewriteMs ?? call.store.startedMs) / 1000));
}

function wait(call: Call): void {
  const replicas = call.integer(1);
  if (replicas === undefined) return;
  if (call.integer(2, "ERR timeout is not an integer or out of range") !== undefined) call.out.integer(0);
}

/** Tools ask for it; nothing is recorded. */
const LATENCY: Subcommands = {
  LATEST: [2, (call) => call.out.array(0)],
  HISTORY: [3, (call) => call.out.array(0)],
  RESET: [-2, (call) => call.out.integer(0)],
};

/** The same. */
const SLOWLOG: Subcommands = {
  GET: [-2, (call) => call.out.array(0)],
  LEN: [2, (call) => call.out.integer(0)],
  RESET: [2, (call) => call.ok()],
};

/** A primary at the beginning of its history, without replicas: there is no replication. */
function role({ out }: Call): void {
  out.array(3);
  out.bulkText("master");
  out.integer(0);
  out.array(0);
}

function monitor(call: Call): void {
  if (!call.mayBlock) return call.fail("ERR MONITOR isn't allowed for DENY BLOCKING client");
  call.store.monitors.start(call.session);
  call.ok();
}

const FLAGS = "noscript loading stale";

/** Commands about the store. */
export const SERVER: CommandTable = {
  info: row(-1, "loading stale", NO_KEYS, "dangerous", info),
  config: rowOfMany(-2, `admin ${FLAGS}`, NO_KEYS, "dangerous", CONFIG),
  command: row(-1, "loading stale", NO_KEYS, "connection", describeAll),
  time: row(1, "fast loading stale", NO_KEYS, "", time),
  memory: rowOfMany(-2, "readonly", [2, 2, 1], "", MEMORY),
  bgrewriteaof: row(1, "admin noscript", NO_KEYS, "dangerous", rewrite),
  bgsave: row(-1, "admin noscript", NO_KEYS, "dangerous", rewrite),
  lastsave: row(1, "admin fast loading stale", NO_KEYS, "dangerous", lastSave),
  wait: row(3, "noscript", NO_KEYS, "connection", wait),
  role: row(1, `fast ${FLAGS}`, NO_KEYS, "dangerous", role),
  monitor: row(1, `admin ${FLAGS}`, NO_KEYS, "dangerous", monitor),
  slowlog: rowOfMany(-2, `admin ${FLAGS}`, NO_KEYS, "dangerous", SLOWLOG),
  latency: rowOfMany(-2, `admin ${FLAGS}`, NO_KEYS, "dangerous", LATENCY),
};
