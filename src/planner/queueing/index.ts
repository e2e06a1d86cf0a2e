/** Queueing theory: exact where it is known, and said where it is not. Rates per second, times in ms. */

export { erlangReport } from "./bounded-report.ts";
export { asymptoticBounds, type Bounds } from "./bounds.ts";
export { closedNetwork, closedNetworkWork, closedThroughputsRps } from "./closed-network.ts";
export { erlangB, erlangC } from "./erlang.ts";
export { type Ggc, type GgcInput, ggc, mg1 } from "./ggc.ts";
export { demandMs, inSystem, slowShareOfFanOut, utilisation } from "./laws.ts";
export { type Mmc, type MmcInput, mmc } from "./mmc.ts";
export { type Mmck, type MmckInput, mmck } from "./mmck.ts";
export { boundedQuantile, boundedTail } from "./mmck-tails.ts";
export { closedReport, openReport } from "./network-report.ts";
export { type NetworkUnstable, openNetwork } from "./open-network.ts";
export { parseStations, parseUslPoints } from "./parse.ts";
export type { QueueQuestion } from "./question.ts";
export { objectiveText, queueReport, serversAsked } from "./report.ts";
export {
  keeps,
  SERVERS_MAX,
  type ServiceObjective,
  type Staffing,
  serversFor,
  squareRootStaffing,
  type Work,
} from "./staffing.ts";
export type { NetworkResult, Station, StationResult } from "./station.ts";
export { fullAfterMs, type Steady, type Unstable } from "./steady.ts";
export { responseQuantile, responseTail, waitQuantile, waitTail } from "./tails.ts";
export { fitUsl, type UslCoefficient, type UslFit, type UslPoint, uslAt } from "./usl.ts";
export { uslReport } from "./usl-report.ts";
