/** The simulator: a design in, a result out, the same for the same seed. It runs production's own code. */

export { type Autoscaler, productionAutoscaler } from "./autoscaler.ts";
export { autoscaleReport, runTraces } from "./autoscalers/report.ts";
export type { Score } from "./autoscalers/trial.ts";
export type { Design } from "./design.ts";
export { keepsObjective, type LargestLoad, largestLoad, underLoad } from "./load.ts";
export { parseDesign } from "./parse.ts";
export { bottleneckSentence, compareReport, largestLoadReport, simulationReport } from "./report.ts";
export type { NodeResult, SimulationResult, TrafficResult, WindowResult } from "./result.ts";
export { type RunOptions, simulate } from "./run.ts";
export { SCENARIOS, type Scenario } from "./scenarios.ts";
