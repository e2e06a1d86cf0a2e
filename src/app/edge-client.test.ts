import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../base/testing.ts";
import type { PurgeBatch } from "../edge/index.ts";
import { type EdgeAnswer, sendBatch } from "./edge-client.ts";

const BATCH: PurgeBatch = { epoch: "e", first: 1, purges: [], oldest: 1, head: 0 };
const folder = mkdtempSync(join(tmpdir(), "tenfold-edge-client-"));
const tokenFile = join(folder, "token");
writeFileSync(tokenFile, "secret\n");

const servers: { stop(closes: boolean): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true);
});
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** What a batch comes to at an admin API that answers so. */
async function sendTo(answer: (request: Request) => Response, file = tokenFile): Promise<EdgeAnswer> {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  servers.push(server);
  const edge = {
    name: "lon",
    role: "edge",
    admin: `http://127.0.0.1:${server.port}`,
    tokenFile: file,
  } as const;
  const outcome = await sendBatch(edge, "fra", BATCH);
  // A connection that rests in the pool from an earlier server that had this port.
  const isStale = outcome.kind === "problem" && outcome.problem === "ECONNRESET";
  return isStale ? sendBatch(edge, "fra", BATCH) : outcome;
}

const problem = (words: string): EdgeAnswer => ({ kind: "problem", problem: words });

test("a receipt is what comes back for a batch, with the token and the sender's name", async () => {
  let seen = "";
  const answer = (request: Request): Response => {
    seen = `${request.method} ${new URL(request.url).pathname} ${request.headers.get("authorization")}`;
    return Response.json({ kind: "take", number: 3 });
  };
  expect(await sendTo(answer)).toEqual({ kind: "receipt", receipt: { kind: "take", number: 3 } });
  expect(seen).toBe("POST /v1/edges/fra/purges Bearer secret");
});

test("whatever else comes back is a problem in a few words", async () => {
  const rows: [words: string, answer: () => Response][] = [
    ["401 unauthorized", () => Response.json({ error: { code: "unauthorized" } }, { status: 401 })],
    ["it does not answer as an admin API does", () => new Response("<html>")],
    ["it does not answer as an admin API does", () => new Response("[]", { status: 500 })],
    ["it does not answer as an admin API does", () => Response.json({ kind: "take", number: "3" })],
    ["it does not answer as an admin API does", () => Response.json({ kind: "other", number: 3 })],
    ["its answer is too long", () => new Response("x".repeat(1024 * 1024))],
  ];
  for (const [words, answer] of rows) expect(await sendTo(answer)).toEqual(problem(words));
});

test("the token goes nowhere else: a redirect is not followed", async () => {
  const asked: string[] = [];
  const answer = ({ url }: Request): Response => {
    asked.push(new URL(url).pathname);
    return Response.redirect("/elsewhere", 307);
  };
  expect((await sendTo(answer)).kind).toBe("problem");
  expect(asked).toEqual(["/v1/edges/fra/purges"]);
});

test("without a token file, or with nobody there, it says so", async () => {
  const missing = join(folder, "missing");
  expect(await sendTo(() => new Response(), missing)).toEqual(
    problem(`its token file ${missing} cannot be read (ENOENT)`),
  );
  const admin = `http://127.0.0.1:${freePort()}`;
  expect(await sendBatch({ name: "lon", role: "edge", admin, tokenFile }, "fra", BATCH)).toEqual(
    problem("it refuses the connection"),
  );
});
