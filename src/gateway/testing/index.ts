/** What the tests of this part are built from. */

export { eventually, settle } from "../../base/testing.ts";
export { SilentListener } from "../../transport/testing.ts";
export { type Answer, Client, get, post, request, upgrade } from "./client.ts";
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
export { type Arrival, echoTunnel, ok, Target } from "./target.ts";
