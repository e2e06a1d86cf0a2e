// Links and their clicks: in the store that all tasks share, or in this process's memory when there is none.
//
//    link:CODE   hash {url, clicks}       recent   list of the newest codes       links   channel of what changes
//
// Both keep the same promises: a code is given once, a click that was answered is counted, `watch` hears of every change.
import { randomBytes } from "node:crypto";
import { RespClient, textOf } from "tenfold/resp";

/** As many as the page shows. */
const RECENT_MAX = 20;

const drawCode = () => randomBytes(5).toString("base64url");
const keyOf = (code) => `link:${code}`;

/** Links in a store, by its URL. While it is away every method rejects at once, or within a second, with `status` 503. */
export function sharedLinks(storeUrl) {
  const { tell, watch } = announcer();
  const client = new RespClient({
    url: storeUrl,
    onPush: ([kind, , message]) => textOf(kind) === "message" && tell(JSON.parse(textOf(message))),
    onState: (state) => state === "ready" && catchUp().catch(() => {}), // lost again: the next connection catches up
  });

  const ask = (...request) =>
    client.call(request).catch((error) => {
      throw Object.assign(error, { status: 503 });
    });

  const find = async (code) => {
    const [url, clicks] = await ask("HMGET", keyOf(code), "url", "clicks");
    return url ? { code, url: textOf(url), clicks: Number(textOf(clicks) ?? 0) } : undefined;
  };

  const findAll = async (codes) => (await Promise.all(codes.map(find))).filter(Boolean);

  const recent = async () => findAll((await ask("LRANGE", "recent", 0, RECENT_MAX - 1)).map(textOf));

  const publish = (link) => ask("PUBLISH", "links", JSON.stringify(link));

  /** Listens on a new connection, and tells what changed while there was none. */
  const catchUp = async () => {
    await ask("SUBSCRIBE", "links");
    for (const link of await recent()) tell(link);
  };

  return {
    find,
    findAll,
    recent,
    watch,
    async add(url) {
      const code = drawCode();
      // Two tasks may draw one code; the first one gets it.
      if ((await ask("HSETNX", keyOf(code), "url", url)) === 0) return this.add(url);
      const link = { code, url, clicks: 0 };
      await Promise.all([
        ask("LPUSH", "recent", code),
        ask("LTRIM", "recent", 0, RECENT_MAX - 1),
        publish(link),
      ]);
      return link;
    },
    /** Counts one click of a link that was found. The store adds, so that no task takes back what another one counted. */
    async click(link) {
      const clicks = await ask("HINCRBY", keyOf(link.code), "clicks", 1);
      publish({ ...link, clicks }).catch(() => {}); // counted it is; the feed catches up
    },
  };
}

/** The same for one process alone; all ends with it. */
export function localLinks() {
  const { tell, watch } = announcer();
  const links = new Map(); // code -> link, the newest last
  const find = async (code) => links.get(code);
  const put = (link) => {
    links.set(link.code, link);
    tell(link);
    return link;
  };
  return {
    find,
    findAll: async (codes) => codes.map((code) => links.get(code)),
    recent: async () => [...links.values()].slice(-RECENT_MAX).toReversed(),
    watch,
    add: async (url) => put({ code: drawCode(), url, clicks: 0 }),
    click: async ({ code, url }) => void put({ code, url, clicks: links.get(code).clicks + 1 }),
  };
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
