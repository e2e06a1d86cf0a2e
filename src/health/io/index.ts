/** Active checks at the sockets. */
export { probe } from "./probe.ts";
