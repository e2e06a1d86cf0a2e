import { describe, expect, test } from "bun:test";
import { histogramSamples, type MetricFamily, renderMetrics } from "./metrics.ts";

function gauge(overrides: Partial<MetricFamily>): MetricFamily {
  return {
    name: "up",
    help: "Whether it runs",
    type: "gauge",
    samples: [{ labels: {}, value: 1 }],
    ...overrides,
  };
}

test("a family is a HELP line, a TYPE line and one line per sample", () => {
  const samples = [
    { labels: { listener: "web", code: "200" }, value: 1027 },
    { labels: { listener: "web", code: "503" }, value: 3 },
  ];
  const family = gauge({
    name: "tenfold_requests_total",
    help: "Requests answered",
    type: "counter",
    samples,
  });
  expect(renderMetrics([family])).toBe(`# HELP tenfold_requests_total Requests answered
# TYPE tenfold_requests_total counter
tenfold_requests_total{listener="web",code="200"} 1027
tenfold_requests_total{listener="web",code="503"} 3
`);
});

test("a sample without labels has no braces, and nothing renders to nothing", () => {
  expect(renderMetrics([gauge({})])).toEndWith("\nup 1\n");
  expect(renderMetrics([])).toBe("");
});

test("label values escape backslash, quote and newline", () => {
  const samples = [{ labels: { path: 'C:\\DIR\\FILE.TXT said "no"\n' }, value: 1 }];
  expect(renderMetrics([gauge({ samples })])).toContain(
    'up{path="C:\\\\DIR\\\\FILE.TXT said \\"no\\"\\n"} 1\n',
  );
});

test("help escapes backslash and newline, but no quote", () => {
  expect(renderMetrics([gauge({ help: 'a \\ "b"\nc' })])).toStartWith('# HELP up a \\\\ "b"\\nc\n');
});

test.each([
  [0.1, "0.1"],
  [1e21, "1e+21"],
  [-5, "-5"],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "+Inf"],
  [Number.NEGATIVE_INFINITY, "-Inf"],
])("the value %p is written %s", (value, text) => {
  expect(renderMetrics([gauge({ samples: [{ labels: {}, value }] })])).toEndWith(`up ${text}\n`);
});

test("a histogram has cumulative buckets up to +Inf, a sum and a count", () => {
  const buckets = [
    { le: 0.05, count: 3 },
    { le: 0.5, count: 7 },
  ];
  const samples = histogramSamples({ group: "api" }, buckets, 12.5, 9);
  const family: MetricFamily = { name: "latency_seconds", help: "Latency", type: "histogram", samples };
  expect(renderMetrics([family])).toBe(`# HELP latency_seconds Latency
# TYPE latency_seconds histogram
latency_seconds_bucket{group="api",le="0.05"} 3
latency_seconds_bucket{group="api",le="0.5"} 7
latency_seconds_bucket{group="api",le="+Inf"} 9
latency_seconds_sum{group="api"} 12.5
latency_seconds_count{group="api"} 9
`);
});

describe("names that Prometheus does not take are refused by name", () => {
  test.each(["", "9lives", "with-hyphen", "with space"])("metric %p", (name) => {
    expect(() => renderMetrics([gauge({ name })])).toThrow(`metric name "${name}" is not valid`);
  });

  test.each(["", "9lives", "with:colon", "with-hyphen"])("label %p", (name) => {
    const samples = [{ labels: { [name]: "x" }, value: 1 }];
    expect(() => renderMetrics([gauge({ samples })])).toThrow(`label name "${name}" is not valid`);
  });
});
