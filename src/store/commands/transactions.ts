/** MULTI, EXEC, DISCARD, WATCH and UNWATCH. */
import type { Call } from "../call.ts";
import { ALL_KEYS, type CommandTable, NO_KEYS, row } from "../command.ts";
import { queueRefusal } from "../refusals.ts";
import { ERR } from "../replies.ts";
import { keyName, parts } from "../watches.ts";

function multi(call: Call): void {
  if (call.session.queue !== undefined) return call.fail(ERR.nestedMulti);
  call.session.queue = [];
  call.ok();
}

function exec(call: Call): void {
  const { session, store } = call;
  if (session.queue === undefined) return call.fail(ERR.execWithoutMulti);
  if (session.queueFailed || session.watchBroken || isExpired(call)) {
    const failed = session.queueFailed;
    store.endTransaction(session);
    if (failed) call.fail(ERR.execAbort);
    else call.out.nullArray();
    return;
  }
  const problem = queueRefusal(store, session.queue);
  if (problem === undefined) return store.runQueue(session);
  store.endTransaction(session);
  call.fail(`EXECABORT Transaction discarded because of: ${problem}`);
}

/** A watched key whose time is over has changed, though nobody has noticed yet. */
function isExpired({ session, store }: Call): boolean {
  for (const name of session.watched ?? []) {
    const { database, key } = parts(name);
    store.space(database).peek(key, 0, key.length);
  }
  return session.watchBroken;
}

function discard(call: Call): void {
  if (call.session.queue === undefined) return call.fail(ERR.discardWithoutMulti);
  call.store.endTransaction(call.session);
  call.ok();
}

function watch(call: Call): void {
  if (call.session.queue !== undefined) return call.fail(ERR.watchInMulti);
  for (let place = 1; place < call.count; place++) {
    // What has expired already is not there, and its removal must not count as a change.
    call.space.peek(call.bytes, call.start(place), call.end(place));
    call.store.watches.watch(
      call.session,
      keyName(call.space.index, call.bytes, call.start(place), call.end(place)),
    );
  }
  call.ok();
}

function unwatch(call: Call): void {
  call.store.watches.unwatch(call.session);
  call.ok();
}

const FLAGS = "noscript loading stale fast";

/** Commands of transactions. */
export const TRANSACTIONS: CommandTable = {
  multi: row(1, `${FLAGS} no_multi`, NO_KEYS, "transaction", multi),
  exec: row(1, "noscript loading stale no_multi", NO_KEYS, "transaction", exec),
  discard: row(1, `${FLAGS} no_multi`, NO_KEYS, "transaction", discard),
  watch: row(-2, `${FLAGS} no_multi`, ALL_KEYS, "transaction", watch),
  unwatch: row(1, FLAGS, NO_KEYS, "transaction", unwatch),
};
