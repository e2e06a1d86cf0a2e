/**
 * Metrics in Prometheus' text exposition format 0.0.4, as any scraper reads it.
 *
 * A family is one name with its help, type and samples; a sample is one line. The owner of the numbers builds the
 * families at each scrape; nothing is registered and nothing is kept here.
 */

/** "counter" only grows, "gauge" goes either way, "histogram" is made by `histogramSamples`. */
export type MetricType = "counter" | "gauge" | "histogram";

/** One line: a value and what it is the value of. */
export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** What a histogram's lines add to the name: "_bucket", "_sum" or "_count". */
  readonly suffix?: string;
}

/** One metric with all its samples. */
export interface MetricFamily {
  /** Like "tenfold_requests_total": unit and, on counters, "total" last. */
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly samples: readonly MetricSample[];
}

/** One cumulative bucket: how many values are at most `le`. */
export interface MetricBucket {
  readonly le: number;
  readonly count: number;
}

/** Goes into the Content-Type of the response. */
export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * The text of one scrape, families in the order given.
 *
 * @throws Error when a metric's or a label's name is not one that Prometheus takes.
 */
export function renderMetrics(families: readonly MetricFamily[]): string {
  return families.map(renderFamily).join("");
}

/**
 * The samples of one histogram: buckets in rising order of `le`, then the "+Inf" bucket, sum and count. `count` is
 * how many values there are in all, `sum` what they add up to, in the unit of `le`.
 */
export function histogramSamples(
  labels: Readonly<Record<string, string>>,
  buckets: readonly MetricBucket[],
  sum: number,
  count: number,
): MetricSample[] {
  const bucket = (le: number, value: number): MetricSample => ({
    labels: { ...labels, le: renderNumber(le) },
    value,
    suffix: "_bucket",
  });
  return [
    ...buckets.map((each) => bucket(each.le, each.count)),
    bucket(Number.POSITIVE_INFINITY, count),
    { labels, value: sum, suffix: "_sum" },
    { labels, value: count, suffix: "_count" },
  ];
}

function renderFamily(family: MetricFamily): string {
  if (!METRIC_NAME.test(family.name)) {
    throw new Error(`metric name "${family.name}" is not valid: use letters, digits, "_" and ":"`);
  }
  const head = `# HELP ${family.name} ${escapeText(family.help)}\n# TYPE ${family.name} ${family.type}\n`;
  return head + family.samples.map((sample) => renderSample(family.name, sample)).join("");
}

function renderSample(name: string, sample: MetricSample): string {
  const labels = Object.entries(sample.labels).map(renderLabel).join(",");
  const braced = labels === "" ? "" : `{${labels}}`;
  return `${name}${sample.suffix ?? ""}${braced} ${renderNumber(sample.value)}\n`;
}

function renderLabel([name, value]: [string, string]): string {
  if (!LABEL_NAME.test(name)) {
    throw new Error(`label name "${name}" is not valid: use letters, digits and "_"`);
  }
  return `${name}="${escapeText(value).replaceAll('"', '\\"')}"`;
}

/** What help and label values share; a label value's quotes come on top. */
function escapeText(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

/** Go's spelling of what is not finite. */
function renderNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}
