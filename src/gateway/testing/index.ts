/** What the tests of this part are built from. */
export { type Answer, Client, get, post, request, upgrade } from "./client.ts";
export { eventually, settle } from "./eventually.ts";
export {
  type Extra,
  type GatewayOptions,
  gatewayTo,
  plainScoreboard,
  plainStore,
  proxyTo,
  snapshotOf,
  stopAll,
  TestGateway,
  track,
} from "./gateway.ts";
export { viewOf, viewOfGet } from "./heads.ts";
export { Relay } from "./relay.ts";
export { SilentListener } from "./silent-listener.ts";
export { type Arrival, echoTunnel, ok, Target } from "./target.ts";
