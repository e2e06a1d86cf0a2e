/** Queueing theory: exact where it is known, and said where it is not. Rates per second, times in ms. */

export { erlangReport } from "./bounded-report.ts";
export { erlangB, erlangC } from "./erlang.ts";
export { type Ggc, type GgcInput, ggc, mg1, waitQuantileNear } from "./ggc.ts";
export { demandMs, inSystem, slowShareOfFanOut, utilisation } from "./laws.ts";
export {
  type Mmc,
  type MmcInput,
  mmc,
  responseQuantile,
  responseTail,
  waitQuantile,
  waitTail,
} from "./mmc.ts";
export { type Mmck, type MmckInput, mmck } from "./mmck.ts";
export {
  asymptoticBounds,
  type Bounds,
  closedNetwork,
  type NetworkResult,
  type NetworkUnstable,
  openNetwork,
  type Station,
  type StationResult,
} from "./network.ts";
export { closedReport, openReport, uslReport } from "./network-report.ts";
export { parseStations, parseUslPoints } from "./parse.ts";
export type { QueueQuestion } from "./question.ts";
export { objectiveText, queueReport } from "./report.ts";
export { keeps, type ServiceObjective, serversFor, squareRootStaffing } from "./staffing.ts";
export { fullAfterMs, type Steady, type Unstable } from "./steady.ts";
export { fitUsl, type UslCoefficient, type UslFit, type UslPoint, uslAt } from "./usl.ts";
