/** The store's sockets and files. */
export { LogFiles } from "./log-files.ts";
export { DamagedStoreError, type LoadReport } from "./recovery.ts";
export { StoreServer } from "./server.ts";
export { TlsTransport } from "./tls/transport.ts";
export type { StoreSocket, StoreSocketOwner, StoreTransport } from "./transport.ts";
