import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tenfold } from "../testing.ts";

// The first one loads all commands.
setDefaultTimeout(20_000);

const HERE = "db1=127.0.0.1:5432,db2=127.0.0.1:5433,w=witness@127.0.0.1:5434";
const APART = "db1=10.0.0.1:5432,db2=10.0.0.2:5432,w=witness@10.0.0.3:5432";

const TLS = `${APART} --mode quorum --store etcd://10.0.0.4:2379 --tls-cert c --tls-key k --tls-ca a`.split(
  " ",
);

test.each([
  ["in async mode", [HERE], "in async mode no commit waits for a witness: add --mode quorum to all of them"],
  ["with data of its own", [HERE, "--mode", "quorum", "--new"], "w is a witness: it has no data"],
  ["where others speak TLS", TLS, "--members has a witness, whose log goes without TLS"],
])("a witness is not served %s", async (_, words, problem) => {
  const folder = mkdtempSync(join(tmpdir(), "tenfold-witness-"));
  const { code, err } = await tenfold(["db", "serve", "w", "--folder", folder, "--members", ...words]);
  rmSync(folder, { recursive: true });
  expect(code).toBe(2);
  expect(err).toContain(problem);
});
