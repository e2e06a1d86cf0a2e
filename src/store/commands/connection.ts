/** Who is there: HELLO, AUTH, PING, SELECT and their like. CLIENT is in client.ts. */
import type { Call } from "../call.ts";
import { type CommandTable, NO_KEYS, row } from "../command.ts";
import { DATABASES } from "../keyspace.ts";
import { ERR, wrongArity } from "../replies.ts";

/** What HELLO and INFO call this server. Clients look at the version to know what they may use. */
export const SERVER_VERSION = "7.0.15";

function ping(call: Call): void {
  if (call.count > 2) return call.fail(wrongArity("ping"));
  const { out } = call;
  if (call.session.isSubscriber) {
    out.array(2);
    out.bulkText("pong");
    return out.bulkText(call.count === 2 ? call.text(1) : "");
  }
  if (call.count === 2) out.bulk(call.bytes, call.start(1), call.end(1));
  else out.simple("PONG");
}

function select(call: Call): void {
  const index = call.integer(1);
  if (index === undefined) return;
  if (index < 0 || index >= DATABASES) return call.fail(ERR.dbIndex);
  call.session.database = index;
  call.space = call.store.space(index);
  call.ok();
}

function login(call: Call, name: string, password: string): boolean {
  const user = call.store.acl.authenticate(name, password);
  if (user === undefined) {
    call.fail(ERR.wrongPass);
    return false;
  }
  call.session.user = user;
  return true;
}

function auth(call: Call): void {
  if (call.count > 3) return call.fail(ERR.syntax);
  const { acl } = call.store;
  if (call.count === 2 && acl.default.noPassword)
    return call.fail(
      "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
    );
  const [name, password] = call.count === 2 ? ["default", call.text(1)] : [call.text(1), call.text(2)];
  if (login(call, name, password)) call.ok();
}

function hello(call: Call): void {
  const { session, out } = call;
  let { protocol } = session;
  if (call.count > 1) {
    const version = call.integerOrNaN(1);
    if (Number.isNaN(version)) return call.fail("ERR Protocol version is not an integer or out of range");
    if (version !== 2 && version !== 3) return call.fail(ERR.noProto);
    protocol = version;
  }
  let { name } = session;
  for (let place = 2; place < call.count; place++) {
    const word = call.word(place);
    if (word === "AUTH" && place + 2 < call.count) {
      if (!login(call, call.text(place + 1), call.text(place + 2))) return;
      place += 2;
    } else if (word === "SETNAME" && place + 1 < call.count) {
      name = call.text(++place);
      if (!isName(name))
        return call.fail("ERR Client names cannot contain spaces, newlines or special characters.");
    } else return call.fail(`ERR Syntax error in HELLO option '${call.text(place)}'`);
  }
  if (session.user === undefined)
    return call.fail(
      "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
    );
  session.name = name;
  session.protocol = protocol;
  out.protocol = protocol;
  out.map(7);
  const text = (key: string, value: string): void => {
    out.bulkText(key);
    out.bulkText(value);
  };
  text("server", "redis");
  text("version", SERVER_VERSION);
  out.bulkText("proto");
  out.integer(protocol);
  out.bulkText("id");
  out.integer(session.id);
  text("mode", "standalone");
  text("role", "master");
  out.bulkText("modules");
  out.array(0);
}

/** Whether a text can be a client's name: nothing that would break a line of CLIENT LIST. */
export function isName(name: string): boolean {
  return /^[!-~]*$/.test(name);
}

function quit(call: Call): void {
  call.session.closing = true;
  call.ok();
}

function reset(call: Call): void {
  const { session, store } = call;
  store.endTransaction(session);
  store.channels.unsubscribeAll(session);
  store.tracking.stop(session);
  store.monitors.stop(session);
  session.database = 0;
  session.name = "";
  session.protocol = 2;
  session.replies = "on";
  session.user = store.acl.default.noPassword ? store.acl.default : undefined;
  call.out.protocol = 2;
  call.out.simple("RESET");
}

function echo(call: Call): void {
  call.out.bulk(call.bytes, call.start(1), call.end(1));
}

const OPEN = "noscript loading stale fast no_auth";

/** Commands about the connection. */
export const CONNECTION: CommandTable = {
  ping: row(-1, "fast", NO_KEYS, "connection", ping),
  echo: row(2, "fast loading stale", NO_KEYS, "connection", echo),
  select: row(2, "loading stale fast", NO_KEYS, "connection", select),
  auth: row(-2, OPEN, NO_KEYS, "connection", auth),
  hello: row(-1, OPEN, NO_KEYS, "connection", hello),
  quit: row(-1, `${OPEN} no_multi`, NO_KEYS, "connection", quit),
  reset: row(1, `${OPEN} no_multi`, NO_KEYS, "connection", reset),
};
