import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { MAIN, until } from "../testing/app-folder.ts";
import { scratchFolder, tenfold } from "../testing.ts";

/** The oracle: the resolver's own tool. */
const DIG = Bun.which("dig");

/** Two edges on loopback; 127/8 is eu, 198.51.100/24 us. */
function write(folder: string, ports: readonly [near: number, far: number]): string {
  const [near, far] = ports.map((port) => ({ path: "/", port, interval: "100ms", fall: 1, rise: 1 }));
  const steering = {
    address: "127.0.0.1:0",
    zone: "cdn.example",
    names: ["@", "www"],
    nameservers: { "ns1.cdn.example": "192.0.2.53" },
    edges: {
      near: { region: "eu", addresses: ["127.0.0.1", "2001:db8::1"], health: near },
      far: { region: "us", addresses: "127.0.0.2", health: far },
    },
    regions: { eu: { prefixes: "127.0.0.0/8" }, us: { prefixes: ["198.51.100.0/24", "2001:db8:a000::/36"] } },
    roundTrips: { eu: { us: "90ms" } },
  };
  const path = join(folder, "steering.json");
  writeFileSync(path, JSON.stringify({ steering }));
  return path;
}

const edge = (hostname: string): Bun.Server<undefined> =>
  Bun.serve({ hostname, port: 0, fetch: () => new Response("ok") });

describe("tenfold steer", () => {
  const scratch = scratchFolder();
  const edges = [edge("127.0.0.1"), edge("127.0.0.2")] as const;
  const config = write(scratch.path, [edges[0].port ?? 0, edges[1].port ?? 0]);
  let child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  let port = "";

  beforeAll(async () => {
    child = Bun.spawn([process.execPath, MAIN, "steer", "-c", config], { stdout: "pipe", stderr: "pipe" });
    const reader = child.stdout.getReader();
    let out = "";
    await until(async () => {
      out += new TextDecoder().decode((await reader.read()).value);
      port = /answering for cdn\.example on 127\.0\.0\.1:(\d+), UDP and TCP: near, far/.exec(out)?.[1] ?? "";
      return port !== "";
    });
    reader.releaseLock();
  }, 15_000);
  afterAll(async () => {
    child.kill();
    await Promise.all([child.exited, ...edges.map((server) => server.stop(true))]);
    scratch[Symbol.dispose]();
  });

  function dig(...words: string[]): string {
    const args = [DIG ?? "dig", "@127.0.0.1", "-p", port, "+tries=1", "+time=5", ...words];
    return Bun.spawnSync(args).stdout.toString();
  }

  test.skipIf(DIG === null)("answers dig by UDP and by TCP (needs dig)", () => {
    expect(dig("+short", "www.cdn.example")).toBe("127.0.0.1\n");
    expect(dig("+short", "+tcp", "www.cdn.example", "AAAA")).toBe("2001:db8::1\n");
    expect(dig("cdn.example", "NS")).toMatch(
      /ANSWER SECTION:\ncdn\.example\.\s+3600\s+IN\s+NS\s+ns1\.cdn\.example\./,
    );
    expect(dig("+short", "cdn.example", "SOA")).toMatch(
      /^ns1\.cdn\.example\. hostmaster\.cdn\.example\. \d+ 3600 600 604800 30\n$/,
    );
  });

  test.skipIf(DIG === null)("steers by the network that dig says, and gives the scope (needs dig)", () => {
    const us = dig("cdn.example", "+subnet=198.51.100.0/24");
    expect(us).toContain("CLIENT-SUBNET: 198.51.100.0/24/24");
    expect(us).toMatch(/cdn\.example\.\s+30\s+IN\s+A\s+127\.0\.0\.2/);
    expect(dig("cdn.example", "+subnet=2001:db8:a000::/48")).toContain(
      "CLIENT-SUBNET: 2001:db8:a000::/48/36",
    );
    expect(dig("+short", "cdn.example", "+subnet=0/0")).toBe("127.0.0.1\n");
  });

  test.skipIf(DIG === null)("says what is not there, and refuses what is not its own (needs dig)", () => {
    const rows: [words: string[], status: string, authority: boolean][] = [
      [["cdn.example", "MX"], "NOERROR", true],
      [["gone.cdn.example"], "NXDOMAIN", true],
      [["example.org"], "REFUSED", false],
      [["cdn.example", "AXFR", "+tcp"], "", false],
    ];
    for (const [words, status, authority] of rows) {
      const out = dig(...words);
      if (status !== "") expect([words, out]).toEqual([words, expect.stringContaining(`status: ${status}`)]);
      expect([words, out.includes("AUTHORITY SECTION")]).toEqual([words, authority]);
    }
    expect(dig("cdn.example", "+edns=1", "+noednsnegotiation")).toContain("status: BADVERS");
  });

  test("explains a client by a check of each edge now", async () => {
    const { code, out } = await tenfold(["steer", "-c", config, "--explain", "198.51.100.7"]);
    expect([code, out.split("\n")]).toEqual([
      0,
      [
        "198.51.100.7 is in region us (prefix 198.51.100.0/24); the same holds for its /24",
        "-> far in us: the same region, healthy",
        "   near in eu: 90 ms, by roundTrips, healthy",
        "answer: far (127.0.0.2): the nearest that is well",
      ],
    ]);
    const json = await tenfold(["steer", "-c", config, "--explain", "198.51.100.7", "--json"]);
    expect(JSON.parse(json.out)).toMatchObject({ region: "us", scope: 24, reason: "nearest" });
  });

  test("refuses what is no address, and a config without steering", async () => {
    const none = await tenfold(["steer", "-c", config, "--explain", "nobody"]);
    expect([none.code, none.err]).toEqual([2, expect.stringContaining('"nobody", which is no IP address')]);
    writeFileSync(join(scratch.path, "plain.json"), '{"services":{"web":{"command":["true"]}}}');
    const plain = await tenfold(["steer", "-c", join(scratch.path, "plain.json")]);
    expect([plain.code, plain.err]).toEqual([1, expect.stringContaining("has no steering")]);
  });

  test("is nothing for what serves, and good to check", async () => {
    for (const command of ["up", "gateway"]) {
      const { code, err } = await tenfold([command, "-c", config]);
      expect([code, err]).toEqual([
        1,
        expect.stringContaining("has neither listeners nor services: use `tenfold steer`"),
      ]);
    }
    const { out } = await tenfold(["check", "-c", config]);
    expect(out).toContain("steering cdn.example  near in eu, far in us; 2 regions, DNS on 127.0.0.1:0");
  });

  // The last one: it kills an edge, and then the server.
  test.skipIf(DIG === null)("leaves an edge that dies, and ends with its counts (needs dig)", async () => {
    await edges[0].stop(true);
    await until(() => dig("+short", "cdn.example") === "127.0.0.2\n");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect(await child.stderr.text()).toMatch(
      /stopped: \d+ queries by UDP, \d+ by TCP; \d+ without an answer/,
    );
  });
});
