/** The embedded store: databases, commands, clients. Bytes of a request in, bytes of a reply out. Sockets and files are in `io/`. */
export { POLICIES, type Policy } from "./eviction.ts";
export { FSYNC, type Fsync, SETTINGS, type Settings } from "./settings.ts";
export { Store, type StoreParts } from "./store.ts";
