/** Door of the Next.js cache to a store over the network, and all of the pure door: what an app imports as `tenfold/next`. */
export * from "../index.ts";
export { type NextCacheStore, openNextCache } from "./open-next-cache.ts";
