/**
 * Who may do what: users with passwords, commands, keys and channels, as Redis' ACL rules say it. Held in memory; the config
 * makes the default user.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { bytesOf } from "../resp/index.ts";
import type { Command } from "./command.ts";
import { matchesGlob } from "./glob.ts";

/** Categories that follow from flags. */
const FLAG_CATEGORIES = {
  write: "write",
  readonly: "read",
  fast: "fast",
  admin: "admin",
  blocking: "blocking",
} as const;

interface KeyRule {
  readonly pattern: Uint8Array;
  readonly text: string;
  readonly read: boolean;
  readonly write: boolean;
}

/** One user. */
export class User {
  readonly name: string;
  enabled = false;
  noPassword = false;
  passwords: Set<string> = new Set();
  allCommands = false;
  allKeys = false;
  allChannels = false;
  keyRules: KeyRule[] = [];
  channelRules: string[] = [];
  /** Command rules in the order in which they were given, beyond +@all and -@all. */
  commandRules: string[] = [];
  #allowed: Set<string> = new Set();

  constructor(name: string) {
    this.name = name;
  }

  copy(): User {
    const copy = new User(this.name);
    copy.become(this);
    return copy;
  }

  /** Takes over all that another user may do; connections of this one see it at once. */
  become(other: User): void {
    const { enabled, noPassword, allCommands, allKeys, allChannels } = other;
    Object.assign(this, { enabled, noPassword, allCommands, allKeys, allChannels });
    this.passwords = new Set(other.passwords);
    this.keyRules = [...other.keyRules];
    this.channelRules = [...other.channelRules];
    this.commandRules = [...other.commandRules];
    this.#allowed = other.#allowed;
  }

  /** Whether nothing at all has to be checked. */
  get isUnbound(): boolean {
    return this.allCommands && this.allKeys && this.allChannels && this.commandRules.length === 0;
  }

  /** Compares all hashes in full, so that the time it takes says nothing about them. */
  accepts(password: string): boolean {
    const given = Buffer.from(sha256(password));
    let isOne = false;
    for (const hash of this.passwords) if (timingSafeEqual(Buffer.from(hash), given)) isOne = true;
    return this.enabled && (this.noPassword || isOne);
  }

  mayRun(name: string): boolean {
    return this.allCommands && this.commandRules.length === 0 ? true : this.#allowed.has(name);
  }

  mayUseKey(key: Uint8Array, write: boolean): boolean {
    const may = (rule: KeyRule): boolean => (write ? rule.write : rule.read);
    return (
      this.allKeys || this.keyRules.some((rule) => may(rule) && matchesGlob(rule.pattern, key, 0, key.length))
    );
  }

  /** A pattern may match more than a rule that matches its text: it must be one of the rules itself. */
  mayUsePattern(pattern: string): boolean {
    return this.allChannels || this.channelRules.includes(pattern);
  }

  mayUseChannel(channel: string): boolean {
    const bytes = bytesOf(channel);
    const isIn = (rule: string): boolean => matchesGlob(bytesOf(rule), bytes, 0, bytes.length);
    return this.allChannels || this.channelRules.some(isIn);
  }

  /** Applies one rule of ACL SETUSER. Gives what is wrong with it, if anything. */
  apply(rule: string, commands: ReadonlyMap<string, Command>): string | undefined {
    const word = WORDS[rule.toLowerCase()];
    if (word !== undefined) {
      word(this);
    } else if (rule.startsWith("+") || rule.startsWith("-")) {
      const problem = commandRuleProblem(rule.slice(1).toLowerCase(), commands);
      if (problem !== undefined) return problem;
      this.#commandRule(rule.toLowerCase());
    } else if (!this.#valueRule(rule)) {
      return "Syntax error";
    }
    this.#resolve(commands);
    return undefined;
  }

  #commandRule(rule: string): void {
    if (rule === "+@all" || rule === "-@all") {
      this.allCommands = rule === "+@all";
      this.commandRules = [];
    } else {
      this.commandRules.push(rule);
    }
  }

  #valueRule(rule: string): boolean {
    const value = rule.slice(1);
    if (rule.startsWith(">")) this.passwords.add(sha256(value));
    else if (rule.startsWith("<")) this.passwords.delete(sha256(value));
    else if (/^#[0-9a-f]{64}$/.test(rule)) this.passwords.add(value);
    else if (rule.startsWith("&")) this.channelRules.push(value);
    else if (rule.startsWith("~")) this.#keyRule(value, true, true);
    else if (/^%[RW]{1,2}~/i.test(rule)) {
      const [rights, pattern] = splitAt(value, value.indexOf("~"));
      this.#keyRule(pattern.slice(1), /r/i.test(rights), /w/i.test(rights));
    } else return false;
    if (rule.startsWith(">") || rule.startsWith("#")) this.noPassword = false;
    return true;
  }

  #keyRule(text: string, read: boolean, write: boolean): void {
    this.keyRules.push({ pattern: bytesOf(text), text, read, write });
  }

  #resolve(commands: ReadonlyMap<string, Command>): void {
    this.#allowed = new Set(this.allCommands ? commands.keys() : []);
    for (const rule of this.commandRules) {
      const what = rule.slice(1);
      for (const [name, command] of commands) {
        if (what !== name && !(what.startsWith("@") && categoriesOf(command).includes(what.slice(1))))
          continue;
        if (rule.startsWith("+")) this.#allowed.add(name);
        else this.#allowed.delete(name);
      }
    }
  }

  /** The rules that make this user, as ACL LIST shows them. */
  describe(): string {
    return [
      this.enabled ? "on" : "off",
      ...(this.noPassword ? ["nopass"] : []),
      ...[...this.passwords].map((hash) => `#${hash}`),
      this.describeKeys(),
      ...(this.allChannels ? ["&*"] : ["resetchannels", ...this.channelRules.map((rule) => `&${rule}`)]),
      this.describeCommands(),
    ]
      .filter(Boolean)
      .join(" ");
  }

  describeKeys(): string {
    const rights = ({ read, write, text }: KeyRule): string =>
      read && write ? `~${text}` : `%${read ? "R" : ""}${write ? "W" : ""}~${text}`;
    return this.allKeys ? "~*" : this.keyRules.map(rights).join(" ");
  }

  describeCommands(): string {
    return [this.allCommands ? "+@all" : "-@all", ...this.commandRules].join(" ");
  }
}

/** Rules that are one word. */
const WORDS: Readonly<Record<string, (user: User) => void>> = {
  on: (user) => {
    user.enabled = true;
  },
  off: (user) => {
    user.enabled = false;
  },
  nopass: (user) => {
    user.noPassword = true;
    user.passwords.clear();
  },
  resetpass: (user) => {
    user.noPassword = false;
    user.passwords.clear();
  },
  allkeys: (user) => {
    user.allKeys = true;
  },
  "~*": (user) => {
    user.allKeys = true;
  },
  resetkeys: (user) => {
    user.allKeys = false;
    user.keyRules.length = 0;
  },
  allchannels: (user) => {
    user.allChannels = true;
  },
  "&*": (user) => {
    user.allChannels = true;
  },
  resetchannels: (user) => {
    user.allChannels = false;
    user.channelRules.length = 0;
  },
  allcommands: (user) => {
    user.allCommands = true;
    user.commandRules = [];
  },
  nocommands: (user) => {
    user.allCommands = false;
    user.commandRules = [];
  },
  reset: (user) => {
    for (const rule of ["off", "resetpass", "resetkeys", "resetchannels", "nocommands"]) WORDS[rule]?.(user);
  },
};

function commandRuleProblem(what: string, commands: ReadonlyMap<string, Command>): string | undefined {
  if (what.startsWith("@")) {
    const known =
      what === "@all" ||
      [...commands.values()].some((command) => categoriesOf(command).includes(what.slice(1)));
    return known ? undefined : "Unknown command or category name in ACL";
  }
  return commands.has(what) ? undefined : "Unknown command or category name in ACL";
}

/** The ACL categories of a command, without the "@". */
export function categoriesOf(command: Command): string[] {
  const flags = Object.entries(FLAG_CATEGORIES).filter(([flag]) => command.flags.has(flag as "write"));
  const fromFlags = flags.map(([, category]) => category);
  if (!command.flags.has("fast")) fromFlags.push("slow" as never);
  return [
    ...new Set([...fromFlags, ...command.categories, ...(command.flags.has("admin") ? ["dangerous"] : [])]),
  ];
}

function sha256(text: string): string {
  return createHash("sha256").update(Buffer.from(text, "latin1")).digest("hex");
}

function splitAt(text: string, at: number): readonly [string, string] {
  return [text.slice(0, at), text.slice(at)];
}

/** Whose password nobody has. */
const NO_USER = new User("");

/** All users; there is always "default". */
export class Acl {
  readonly users: Map<string, User> = new Map();
  readonly #commands: ReadonlyMap<string, Command>;

  constructor(commands: ReadonlyMap<string, Command>) {
    this.#commands = commands;
    this.setUser("default", ["on", "nopass", "~*", "&*", "+@all"]);
  }

  get default(): User {
    return this.users.get("default") ?? new User("default");
  }

  /** A password for the default user; "" for none. */
  setDefaultPassword(password: string): void {
    this.setUser("default", password === "" ? ["nopass"] : ["resetpass", `>${password}`]);
  }

  /** The user whose password this is. */
  authenticate(name: string, password: string): User | undefined {
    const user = this.users.get(name);
    // A name that is not known takes as long as one that is.
    return (user ?? NO_USER).accepts(password) ? user : undefined;
  }

  /** Makes or changes a user. Gives what is wrong with the rules, if anything; then nothing has changed. */
  setUser(name: string, rules: readonly string[]): string | undefined {
    const user = this.users.get(name) ?? new User(name);
    const draft = user.copy();
    for (const rule of rules) {
      const problem = draft.apply(rule, this.#commands);
      if (problem !== undefined) return `ERR Error in ACL SETUSER modifier '${rule}': ${problem}`;
    }
    user.become(draft);
    this.users.set(name, user);
    return undefined;
  }
}
