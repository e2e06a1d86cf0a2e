// Links and their clicks, and word of what changes. Where they are kept: see keepers.js. Word goes by the store's channel "links", or stays in
// this process when there is no store.
//
// The promises are the same everywhere: a code is given once, a click that was answered is counted, `watch` hears of every change.
import { randomBytes } from "node:crypto";
import { RespClient, textOf } from "tenfold/resp";
import { databaseKeeper, memoryKeeper, storeKeeper } from "./keepers.js";

/** As many as the page shows. */
const RECENT_MAX = 20;

const drawCode = () => randomBytes(5).toString("base64url");

/** Links in a database, in a store or in memory, by what there is. While that is away methods reject with `status` 503. */
export async function openLinks({ databaseUrl, storeUrl }) {
  const { tell, watch } = announcer();
  const store = storeUrl ? openStore(storeUrl, tell, () => keeper.recent(RECENT_MAX)) : undefined;
  const keeper = databaseUrl
    ? await databaseKeeper(databaseUrl)
    : store
      ? storeKeeper(store.ask, RECENT_MAX)
      : memoryKeeper();
  const publish = store ? store.publish : tell;

  const add = async (url) => {
    const link = { code: drawCode(), url, clicks: 0 };
    // Two tasks may draw one code; the first one gets it.
    if (!(await keeper.add(link))) return add(url);
    publish(link);
    return link;
  };

  return {
    where: keeper.where,
    find: keeper.find,
    findAll: keeper.findAll,
    recent: () => keeper.recent(RECENT_MAX),
    watch,
    add,
    /** Counts one click of a link that was found. The keeper adds, so that no task takes back what another one counted. */
    async click(link) {
      publish({ ...link, clicks: await keeper.click(link.code) });
    },
  };
}

/** The store: asked for what it keeps, and the channel by which tasks tell each other. */
function openStore(url, tell, recent) {
  const client = new RespClient({
    url,
    onPush: ([kind, , message]) => textOf(kind) === "message" && tell(JSON.parse(textOf(message))),
    onState: (state) => state === "ready" && catchUp().catch(() => {}), // lost again: the next connection catches up
  });

  const ask = (...request) =>
    client.call(request).catch((error) => {
      throw Object.assign(error, { status: 503 });
    });

  /** Listens on a new connection, and tells what changed while there was none. */
  const catchUp = async () => {
    await ask("SUBSCRIBE", "links");
    for (const link of await recent()) tell(link);
  };

  /** What is kept is kept: who misses the word of it catches up. */
  const publish = (link) => void ask("PUBLISH", "links", JSON.stringify(link)).catch(() => {});

  return { ask, publish };
}

/** Who wants to hear of links that change; `watch` gives the way to stop. */
function announcer() {
  const listeners = new Set();
  return {
    tell: (link) => listeners.forEach((listen) => listen(link)),
    watch: (listen) => {
      listeners.add(listen);
      return () => listeners.delete(listen);
    },
  };
}
