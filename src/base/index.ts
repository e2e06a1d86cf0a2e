/** The ground under every part: time, chance, numbers and words. Pure; files are behind `io/`. */
export { CIDR_MEND, type Cidr, contains, type IpAddress, isLoopback, parseCidr, parseIp } from "./cidr.ts";
export { type Clock, systemClock } from "./clock.ts";
export { equalConstantTime } from "./compare.ts";
export { copyResponse } from "./copy-response.ts";
export { crc32c } from "./crc32c.ts";
export { defineErrors, type ErrorRow } from "./errors.ts";
export { decay, ewma, peakEwma } from "./ewma.ts";
export {
  count,
  countUpTo,
  HISTOGRAM_SIZE,
  type HistogramCells,
  merge,
  quantile,
  record,
  sum,
} from "./histogram.ts";
export { createLog, LOG_LEVELS, type Log, type LogFields, type LogLevel, type LogOptions } from "./log.ts";
export { memoized } from "./memo.ts";
export {
  histogramSamples,
  METRICS_CONTENT_TYPE,
  type MetricBucket,
  type MetricFamily,
  type MetricSample,
  type MetricType,
  renderMetrics,
} from "./metrics.ts";
export { murmur3, murmur3String } from "./murmur3.ts";
export { BoundedQueue } from "./queue.ts";
export { type Random, seededRandom, systemRandom } from "./random.ts";
export { isSecretName, REDACTED } from "./redact.ts";
export { type Cancel, type Scheduler, systemScheduler } from "./scheduler.ts";
export { type SimulatedTime, simulatedTime } from "./simulated-time.ts";
export { type TimerEntry, TimerWheel, timerEntry } from "./timer-wheel.ts";
export {
  explainBytes,
  explainDuration,
  formatBytes,
  formatDuration,
  parseBytes,
  parseDurationMs,
} from "./units.ts";
export { xxh32 } from "./xxh32.ts";
