/**
 * Who may do what: users with passwords, commands, keys and channels, as Redis' ACL rules say it. Held in memory; the config
 * makes the default user.
 */
import { createHash } from "node:crypto";
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
  readonly passwords: Set<string> = new Set();
  allCommands = false;
  allKeys = false;
  allChannels = false;
  readonly keyRules: KeyRule[] = [];
  readonly channelRules: string[] = [];
  /** Command rules in the order in which they were given, beyond +@all and -@all. */
  commandRules: string[] = [];
  #allowed: Set<string> = new Set();

  constructor(name: string) {
    this.name = name;
  }

  /** Whether nothing at all has to be checked. */
  get isUnbound(): boolean {
    return this.allCommands && this.allKeys && this.allChannels && this.commandRules.length === 0;
  }

  accepts(password: string): boolean {
    return this.enabled && (this.noPassword || this.passwords.has(sha256(password)));
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
      const [rights = "", pattern = ""] = splitAt(value, value.indexOf("~"));
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
    const rights = (rule: KeyRule): string => {
      if (rule.read && rule.write) return `~${rule.text}`;
      return `%${rule.read ? "R" : ""}${rule.write ? "W" : ""}~${rule.text}`;
    };
    return [
      this.enabled ? "on" : "off",
      ...(this.noPassword ? ["nopass"] : []),
      ...[...this.passwords].map((hash) => `#${hash}`),
      ...(this.allKeys ? ["~*"] : this.keyRules.map(rights)),
      ...(this.allChannels ? ["&*"] : ["resetchannels", ...this.channelRules.map((rule) => `&${rule}`)]),
      this.describeCommands(),
    ].join(" ");
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
    return user?.accepts(password) === true ? user : undefined;
  }

  /** Makes or changes a user. Gives what is wrong with the rules, if anything; then nothing has changed. */
  setUser(name: string, rules: readonly string[]): string | undefined {
    const user = this.users.get(name) ?? new User(name);
    for (const rule of rules) {
      const problem = user.apply(rule, this.#commands);
      if (problem !== undefined) return `ERR Error in ACL SETUSER modifier '${rule}': ${problem}`;
    }
    this.users.set(name, user);
    return undefined;
  }
}
