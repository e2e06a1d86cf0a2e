/** Door of sessions to a store over the network, and all of the pure door: what an app imports as `tenfold/session`. */
export * from "../index.ts";
export { type OpenSessionStore, openSessionStore, type SessionStoreOptions } from "./open-session-store.ts";
