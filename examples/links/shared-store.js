// Links and their clicks in a store that all copies share: Tenfold's own, Redis or Valkey, whichever the URL names.
//
//    link:CODE   hash: url, clicks      links   list: codes, the newest first      links:changed   channel: links as JSON
//
// No copy keeps anything, so any of them can answer any request, and may be killed between two.
import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";

/** Codes in the list; older links are found by their code only. */
const LISTED_MAX = 1000;

/** Longest wait for the store: past it the request is answered with 503. */
const STORE_MS = 1000;

/** Opens the store at a URL. It need not be there yet: until it is, and while it is away, calls reject with status 503. */
export function openSharedStore(address) {
  const store = new Redis(address, {
    maxRetriesPerRequest: 1, // a call waits for one reconnect at most
    commandTimeout: STORE_MS,
    autoResendUnfulfilledCommands: false, // a click that may have been counted is not sent again
    retryStrategy: (attempt) => Math.min(attempt * 100, STORE_MS),
  });
  const listeners = new Set();
  const subscriber = store.duplicate({ maxRetriesPerRequest: null, commandTimeout: undefined });
  subscriber.subscribe("links:changed").catch(() => {}); // it subscribes again by itself whenever it connects
  subscriber.on("message", (_channel, text) => {
    for (const listen of listeners) listen(JSON.parse(text));
  });
  for (const client of [store, subscriber])
    client.on("error", (error) => console.error(`links: store: ${error.message}`));

  const publish = (link) => store.publish("links:changed", JSON.stringify(link));

  const find = async (code) => {
    const { url, clicks } = await store.hgetall(`link:${code}`);
    return url && { code, url, clicks: Number(clicks ?? 0) };
  };

  return orUnavailable({
    /** Keeps a link under a code that nobody has. */
    async add(url) {
      const code = randomBytes(5).toString("base64url");
      const isNew = await store.hsetnx(`link:${code}`, "url", url);
      if (!isNew) return this.add(url);
      await store
        .multi()
        .lpush("links", code)
        .ltrim("links", 0, LISTED_MAX - 1)
        .exec();
      const link = { code, url, clicks: 0 };
      await publish(link);
      return link;
    },
    find,
    /** Counts a click; it is counted when this resolves. */
    async click({ code, url }) {
      const clicks = await store.hincrby(`link:${code}`, "clicks", 1);
      await publish({ code, url, clicks });
    },
    /** The newest first. */
    async recent(count) {
      return Promise.all((await store.lrange("links", 0, count - 1)).map(find));
    },
    /** Calls `listen` with every link that changes, whichever copy changed it; returns the way to stop. */
    watch(listen) {
      listeners.add(listen);
      return () => listeners.delete(listen);
    },
    async close() {
      subscriber.disconnect();
      store.disconnect();
    },
  });
}

/** The same calls, whose failures say that it is the store which is not there. */
function orUnavailable(calls) {
  const guarded = ([name, call]) => [
    name,
    name === "watch"
      ? call
      : (...given) =>
          call.apply(calls, given).catch((error) => {
            throw Object.assign(new Error(`the store does not answer: ${error.message}`), { status: 503 });
          }),
  ];
  return Object.fromEntries(Object.entries(calls).map(guarded));
}
