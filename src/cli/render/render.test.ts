import { describe, expect, test } from "bun:test";
import type { RuleConfig } from "../../config/index.ts";
import type { CacheExplanation } from "../../gateway/io/index.ts";
import type { ListenerRoute } from "../route-explanation.ts";
import { COLOURED, PLAIN } from "../style.ts";
import {
  cacheStatus,
  eventOf,
  groupStatus,
  serviceStatus,
  statusOf,
  targetStatus,
  taskStatus,
  trafficTotals,
  wallMs,
} from "../testing.ts";
import { renderRoutes } from "./explain.ts";
import { ago, count, latency } from "./figures.ts";
import { renderStatus } from "./status.ts";
import { cut, table, widthOf } from "./table.ts";
import { renderTop, type TopView } from "./top.ts";

const RULE: RuleConfig = {
  name: "web/0",
  match: { hosts: [], paths: [], methods: [], headers: [], queries: [], sourceIps: [] },
  action: { kind: "forward", groups: [{ group: "web", weight: 1 }] },
  timeouts: {},
  retry: { attempts: 1, nonIdempotent: false },
  host: { kind: "preserve" },
};

const BUSY = statusOf({
  problem: "state journal cannot be written: free space on its disk",
  groups: [
    groupStatus({
      rps: 1234,
      latency: { p50Ms: 3.14, p99Ms: 12 },
      errors: { "connect-refused": 7 },
      targets: [
        targetStatus({ rps: 617, inFlight: 2, task: "web/1" }),
        targetStatus({ id: "127.0.0.1:20002", ejected: true, task: "web/2" }),
      ],
    }),
  ],
  services: [
    serviceStatus({
      wanted: 2,
      state: "failing",
      message: "web/2 ended with exit code 1",
      autoscale: { min: 2, max: 6 },
      tasks: [
        taskStatus({ cpu: 0.42, inFlight: 2 }),
        taskStatus({
          id: "web/2",
          state: "backoff",
          pid: null,
          restarts: 3,
          reason: "ended with exit code 1",
        }),
      ],
    }),
  ],
});

const CACHE = cacheStatus({
  hitRatio: 0.934,
  hitRatioInAll: 0.9,
  requests: [
    { result: "hit", reason: "fresh", count: 31_000, rps: 410 },
    { result: "stale", reason: "grace", count: 12, rps: 0 },
    { result: "miss", reason: "absent", count: 3100, rps: 29.5 },
  ],
  refused: { private: 40, "set-cookie": 7 },
  evicted: { "least-used": 2 },
  purged: { url: 1, tag: 2 },
  servedBytes: 1.2 * 2 ** 30,
  fetchedBytes: 130 * 2 ** 20,
  stored: 3060,
  entries: 3055,
  liveBytes: 45 * 2 ** 20,
});

const DISK = {
  objects: 120_000,
  usedBytes: 3 * 2 ** 30,
  capacityBytes: 10 * 2 ** 30,
  found: 4100,
  written: 125_000,
  writtenBytes: 3.1 * 2 ** 30,
  lost: 3,
  missed: { absent: 900 },
  refused: { rate: 12 },
  off: "disk-full",
};

describe("status", () => {
  test("says what is on disk where there is a disk tier", () => {
    const status = statusOf({ cache: { ...CACHE, disk: DISK } });
    const lines = renderStatus(status, { wallMs: wallMs(), width: 160, style: PLAIN });
    expect(lines.find((line) => line.startsWith("cache"))).toEndWith(
      "3.1k responses, 45MiB of 120MiB, 120k responses, 3GiB of 10GiB on disk",
    );
  });

  test("has a line for the cache where a rule has one", () => {
    const lines = renderStatus(statusOf({ cache: CACHE }), { wallMs: wallMs(), width: 120, style: PLAIN });
    expect(lines).toContain(
      "cache  93% of requests answered from it in the last minute, 90% in all; 3.1k responses, 45MiB of 120MiB",
    );
  });

  test("reads like this", () => {
    expect(renderStatus(BUSY, { wallMs: wallMs(90), width: 120, style: PLAIN })).toEqual([
      "controller  pid 4711, running for 1m30s, 1 of 1 gateway worker serving, revision 7, tenfold 0.1.0",
      "problem     state journal cannot be written: free space on its disk",
      "config      /srv/shop/tenfold.config.ts",
      "state       /srv/shop/.tenfold",
      "",
      "gateway",
      "  WORKER  STATE     PID  REVISION  CONNECTIONS",
      "  1       serving  4713         7            3",
      "",
      "listeners",
      "  web  http://127.0.0.1:8080",
      "    everything  -> web",
      "",
      "services",
      "  web  1 of 2 healthy, failing, revision 1-abc, autoscale 2 to 6",
      "    web/2 ended with exit code 1",
      "    TASK   STATE      FOR   PID   PORT  IN-FLIGHT  CPU  RESTARTS  REVISION  REASON",
      "    web/1  healthy  1m30s  4712  20001          2  42%         0  1-abc",
      "    web/2  backoff  1m30s     -  20001          0    -         3  1-abc     ended with exit code 1",
      "",
      "target groups",
      "  web  round-robin, 1.2k requests/s, p50 3.1ms, p99 12ms",
      "    errors: connect-refused 7",
      "    TARGET           HEALTH   WEIGHT  RPS  IN-FLIGHT  REQUESTS  5XX  FAILURES  TASK",
      "    127.0.0.1:20001  healthy       1  617          2         0    0         0  web/1",
      "    127.0.0.1:20002  ejected       1    0          0         0    0         0  web/2",
    ]);
  });

  test("no line is wider than the terminal, painted or not", () => {
    for (const width of [40, 60, 80]) {
      const lines = renderStatus(BUSY, { wallMs: wallMs(), width, style: COLOURED });
      expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(width);
    }
  });
});

describe("top", () => {
  const view: TopView = {
    reading: { status: BUSY, wallMs: wallMs(10) },
    previous: {
      status: statusOf({ groups: [groupStatus({ errors: { "connect-refused": 3 } })] }),
      wallMs: wallMs(8),
    },
    events: [eventOf(1, "web", "first"), eventOf(2, "web/2", "second"), eventOf(3, "web/2", "third")],
    paused: false,
    sort: "name",
    page: "all",
  };
  const screen = { columns: 120, rows: 24, style: PLAIN, wallMs: wallMs(10) };

  test("reads like this", () => {
    const lines = renderTop(view, screen).map((line) => line.replaceAll(/\d\d:\d\d:\d\d/g, "TT:TT:TT"));
    expect(lines).toEqual([
      "tenfold 0.1.0  running for 10s, pid 4711, revision 7  1/1 workers, 3 connections  TT:TT:TT",
      "state journal cannot be written: free space on its disk",
      "web  http://127.0.0.1:8080  1 rule",
      "",
      "GROUP / TARGET     HEALTH   REQ/S    P50   P99  IN-FLIGHT  WEIGHT  5XX  FAILURES  TASK",
      "web                1/2       1.2k  3.1ms  12ms          0            0         7  round-robin",
      "  127.0.0.1:20001  healthy    617                       2       1    0         0  web/1",
      "  127.0.0.1:20002  ejected      0                       0       1    0         0  web/2",
      "",
      "SERVICE  HEALTHY  WANTED  CPU  STATE    MESSAGE",
      "web            1       2  42%  failing  web/2 ended with exit code 1",
      "",
      "ERROR            /S  TOTAL  GROUP  MEANING",
      "connect-refused   2      7  web    The target refused the connection.",
      "",
      "TT:TT:TT  web         first",
      "TT:TT:TT  web/2       second",
      "TT:TT:TT  web/2       third",
      "q quit   p pause   s sort: name",
    ]);
  });

  test("never exceeds the screen, however small", () => {
    const targets = Array.from({ length: 50 }, (_, index) => targetStatus({ id: `10.0.0.${index}:80` }));
    const many = statusOf({ groups: [groupStatus({ targets }), groupStatus({ name: "api", targets })] });
    for (const [columns, rows] of [
      [80, 24],
      [30, 10],
      [200, 60],
      [10, 3],
    ] as const) {
      const lines = renderTop(
        { ...view, reading: { status: many, wallMs: wallMs() } },
        { ...screen, columns, rows },
      );
      expect(lines.length).toBeLessThanOrEqual(rows);
      expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(columns);
    }
  });

  test("says how many targets are not shown", () => {
    const targets = Array.from({ length: 50 }, (_, index) => targetStatus({ id: `10.0.0.${index}:80` }));
    const status = statusOf({ groups: [groupStatus({ targets })] });
    const text = renderTop({ ...view, reading: { status, wallMs: wallMs() } }, screen).join("\n");
    const shown = text.match(/10\.0\.0\./g)?.length ?? 0;
    expect(text).toContain(`… ${50 - shown} more`);
  });

  test("sorts targets by what was chosen", () => {
    const targets = [targetStatus({ id: "a:1", rps: 1 }), targetStatus({ id: "b:1", rps: 9 })];
    const status = statusOf({ groups: [groupStatus({ targets })] });
    const text = renderTop({ ...view, sort: "rps", reading: { status, wallMs: wallMs() } }, screen).join(
      "\n",
    );
    expect(text.indexOf("b:1")).toBeLessThan(text.indexOf("a:1"));
  });

  test("tells since when the controller is away, above the last that was seen", () => {
    const [first, second] = renderTop({ ...view, awaySinceMs: wallMs(0) }, screen);
    expect(first).toContain("controller away for 10s");
    expect(second).toContain("gateway and tasks may go on");
  });

  const cached: TopView = { ...view, reading: { status: statusOf({ cache: CACHE }), wallMs: wallMs(10) } };

  test("has a line for the cache where a rule has one, and a key for its page", () => {
    const lines = renderTop(cached, { ...screen, columns: 160 });
    expect(lines).toContain(
      "cache  440 requests/s; 93% of requests answered from it in the last minute, 90% in all; " +
        "3.1k responses, 45MiB of 120MiB; 1.2GiB saved",
    );
    expect(lines.at(-1)).toBe("q quit   p pause   c cache   s sort: name");
  });

  test("the page of the cache reads like this", () => {
    const [, , ...lines] = renderTop({ ...cached, page: "cache" }, { ...screen, columns: 140 });
    expect(lines).toEqual([
      "cache  93% of requests answered from it in the last minute, 90% in all; 3.1k responses, 45MiB of 120MiB",
      "       1.2GiB that the app did not have to send, beside 130MiB that it sent",
      "       3.1k responses kept so far, 3 purges",
      "",
      "REQUESTS   /S  TOTAL  REASON  MEANING",
      "hit       410    31k  fresh   Answered from the cache. It is fresh.",
      "stale       -     12  grace   Answered from the cache, though past its time. No target was healthy, and an older one stood in.",
      "miss       30   3.1k  absent  Answered by the app. Nothing is kept for it.",
      "",
      "NOT KEPT    TOTAL  MEANING",
      "private        40  The app says it is for one client alone (Cache-Control: private).",
      "set-cookie      7  It sets a cookie, which all clients would get; `setCookie: true` allows that.",
      "",
      "LEFT        TOTAL  MEANING",
      "least-used      2  Others were asked for more often.",
      "q quit   p pause   c all",
    ]);
  });

  test("the page of the cache says what the disk did, and that it is not written", () => {
    const disk: TopView = {
      ...view,
      page: "cache",
      reading: { status: statusOf({ cache: { ...CACHE, disk: DISK } }), wallMs: wallMs(10) },
    };
    const lines = renderTop(disk, { ...screen, columns: 140, rows: 60 }).map((line) => line.trimEnd());
    expect(lines).toContain(
      "disk   4.1k found there, 125k written (3.1GiB), 3 lost; nothing is written: disk-full",
    );
    expect(lines.some((line) => /^absent +900 +It is not on disk either\.$/.test(line))).toBe(true);
    expect(lines.some((line) => /^rate +12 +More than 16MiB a second/.test(line))).toBe(true);
  });

  test("the page of the cache never exceeds the screen, and is the whole picture where there is no cache", () => {
    const small = renderTop({ ...cached, page: "cache" }, { ...screen, columns: 30, rows: 8 });
    expect(small.length).toBe(8);
    expect(Math.max(...small.map(widthOf))).toBeLessThanOrEqual(30);
    expect(renderTop({ ...view, page: "cache" }, screen)).toEqual(renderTop(view, screen));
  });

  test("counts errors of no group, too", () => {
    const status = statusOf({ noGroup: trafficTotals({ errors: { "no-rule": 2 } }) });
    const text = renderTop({ ...view, reading: { status, wallMs: wallMs() } }, screen).join("\n");
    expect(text).toContain("No rule of this listener matches the request.");
  });
});

describe("explain of a cache", () => {
  const base = {
    key: { url: "http://shop.example/news?page=2", parts: ["language: de"] },
    hasLooked: true,
    variants: 0,
  };
  const stored = {
    status: 200,
    bodyBytes: 1200,
    ageMs: 12_345,
    freshForMs: 47_655,
    staleWhileRevalidateMs: 0,
    staleIfErrorMs: 60_000,
    isGuess: false,
    tags: 2,
    vary: "accept-encoding",
  };

  /** What is said below the rule. */
  function linesFor(cache: CacheExplanation): string[] {
    const route: ListenerRoute = { listener: "web", passed: [], rule: RULE, groups: [], cache };
    return renderRoutes({ kind: "routes", routes: [route] }, PLAIN).slice(2);
  }

  test("a hit reads like this", () => {
    expect(linesFor({ ...base, variants: 3, stored, decision: { kind: "hit", reason: "fresh" } })).toEqual([
      "  cache  key     http://shop.example/news?page=2   language: de",
      "         stored  200, 1.17KiB, 12s old, fresh for 47s more, 2 tags, 1 of 3 variants by accept-encoding",
      "         now     hit, fresh: answered from the cache. It is fresh.",
    ]);
  });

  test("what is stale says for how long, and what is asked", () => {
    const old = { ...stored, freshForMs: -5000, isGuess: true, tags: 0, vary: "" };
    expect(
      linesFor({
        ...base,
        variants: 1,
        stored: old,
        decision: { kind: "revalidate", reason: "expired" },
      }).slice(1),
    ).toEqual([
      "         stored  200, 1.17KiB, 12s old, stale for 5s (a guess from Last-Modified)",
      "         now     revalidate, expired: the app is asked whether what is stored is right. Its time is over, so the app is asked whether it has changed.",
    ]);
  });

  test("what was not kept last time says why", () => {
    const decision = { kind: "miss", reason: "absent" } as const;
    expect(linesFor({ ...base, decision, notKept: "private" }).slice(1)).toEqual([
      "         stored  nothing",
      "         last    not kept, private: The app says it is for one client alone (Cache-Control: private).",
      "         now     miss, absent: the app answers. Nothing is kept for it.",
    ]);
  });

  test("without a gateway it says what the config alone can tell", () => {
    const decision = { kind: "miss", reason: "absent" } as const;
    expect(linesFor({ ...base, hasLooked: false, decision }).slice(1)).toEqual([
      "         stored  unknown: no gateway runs here whose cache could be looked into",
      "         now     answered from the cache if something fresh is stored for this key; else by the app",
    ]);
  });
});

describe("tables and figures", () => {
  test("colour codes are neither counted nor cut", () => {
    const painted = COLOURED.bad("unhealthy");
    expect(widthOf(cut(painted, 5))).toBe(5);
    expect(cut(painted, 5)).toBe("\x1b[31munhe…\x1b[39m");
    expect(cut(painted, 9)).toBe(painted);
  });

  test("wide characters take two columns", () => {
    expect(cut("日本語です", 5)).toBe("日本…");
  });

  test("numbers stand right, words left, and the last column gives way", () => {
    const rows = [
      ["a", "1", "long text"],
      ["bb", "22", "x"],
    ];
    const columns = [{ title: "N" }, { title: "V", align: "right" }, { title: "T" }] as const;
    expect(table(columns, rows, 12, (text) => text)).toEqual(["N    V  T", "a    1  lon…", "bb  22  x"]);
  });

  test("figures are short", () => {
    expect([0, 3.25, 48, 999.6, 1234, 31_000, 2_400_000].map(count)).toEqual([
      "0",
      "3.3",
      "48",
      "1000",
      "1.2k",
      "31k",
      "2.4M",
    ]);
    expect([latency(null), latency(0.4242), latency(1234)]).toEqual(["-", "420us", "1.2s"]);
    expect([ago("never", 0), ago("2026-01-01T00:00:00Z", wallMs(-5))]).toEqual(["-", "0s"]);
  });
});
