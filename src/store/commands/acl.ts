/** ACL: who there is and what they may do. */
import { randomBytes } from "node:crypto";
import { categoriesOf, type User } from "../acl.ts";
import type { Call } from "../call.ts";
import { type CommandTable, NO_KEYS, rowOfMany, type Subcommands } from "../command.ts";
import { wrongArity } from "../replies.ts";

function list(call: Call): void {
  const users = [...call.store.acl.users.values()];
  call.out.array(users.length);
  for (const user of users) call.out.bulkText(`user ${user.name} ${user.describe()}`);
}

function userNames(call: Call): void {
  const names = [...call.store.acl.users.keys()];
  call.out.array(names.length);
  for (const name of names) call.out.bulkText(name);
}

function setUser(call: Call): void {
  const rules = Array.from({ length: call.count - 3 }, (_, i) => call.text(i + 3));
  const problem = call.store.acl.setUser(call.text(2), rules);
  if (problem === undefined) call.ok();
  else call.fail(problem);
}

function delUser(call: Call): void {
  const { acl, sessions } = call.store;
  let removed = 0;
  for (let place = 2; place < call.count; place++) {
    const name = call.text(place);
    if (name === "default") return call.fail("ERR The 'default' user cannot be removed");
    const user = acl.users.get(name);
    if (user === undefined) continue;
    acl.users.delete(name);
    removed++;
    for (const session of sessions.values()) {
      if (session.user !== user) continue;
      if (session === call.session) session.closing = true;
      else session.sink.close();
    }
  }
  call.out.integer(removed);
}

function getUser(call: Call): void {
  const user = call.store.acl.users.get(call.text(2));
  if (user === undefined) return call.out.null();
  describe(call, user);
}

function describe({ out }: Call, user: User): void {
  const flags = [user.enabled ? "on" : "off", ...(user.noPassword ? ["nopass"] : [])];
  out.map(5);
  out.bulkText("flags");
  out.set(flags.length);
  for (const flag of flags) out.bulkText(flag);
  out.bulkText("passwords");
  out.array(user.passwords.size);
  for (const password of user.passwords) out.bulkText(password);
  out.bulkText("commands");
  out.bulkText(user.describeCommands());
  out.bulkText("keys");
  out.bulkText(user.describeKeys());
  out.bulkText("channels");
  out.bulkText(user.allChannels ? "&*" : user.channelRules.map((rule) => `&${rule}`).join(" "));
}

function cat(call: Call): void {
  const { all } = call.store.commands;
  const wanted = call.count > 2 ? call.text(2).toLowerCase() : undefined;
  const categories = new Set([...all.values()].flatMap((command) => categoriesOf(command)).filter(Boolean));
  if (wanted !== undefined && !categories.has(wanted)) return call.fail(`ERR Unknown category '${wanted}'`);
  const names =
    wanted === undefined
      ? [...categories]
      : [...all].flatMap(([name, command]) => (categoriesOf(command).includes(wanted) ? [name] : []));
  call.out.array(names.length);
  for (const name of names) call.out.bulkText(name);
}

/** Bits of a password that is drawn when nobody says how many, and at most. */
const PASSWORD_BITS = 256;
const PASSWORD_BITS_MAX = 4096;

function genPass(call: Call): void {
  if (call.count > 3) return call.fail(wrongArity("acl|genpass"));
  const bits = call.count === 3 ? call.integer(2) : PASSWORD_BITS;
  if (bits === undefined) return;
  if (bits < 1 || bits > PASSWORD_BITS_MAX)
    return call.fail(
      `ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to ${PASSWORD_BITS_MAX}`,
    );
  const digits = Math.ceil(bits / 4);
  call.out.bulkText(
    randomBytes(Math.ceil(digits / 2))
      .toString("hex")
      .slice(0, digits),
  );
}

const SUBCOMMANDS: Subcommands = {
  GENPASS: [-2, genPass],
  WHOAMI: [2, (call) => call.out.bulkText(call.session.user?.name ?? "default")],
  LIST: [2, list],
  USERS: [2, userNames],
  SETUSER: [-3, setUser],
  DELUSER: [-3, delUser],
  GETUSER: [3, getUser],
  CAT: [-2, cat],
};

/** ACL. */
export const ACL: CommandTable = {
  acl: rowOfMany(-2, "admin noscript loading stale", NO_KEYS, "dangerous", SUBCOMMANDS),
};
