import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clusterDatabase } from "./cluster.ts";

const root = mkdtempSync(join(tmpdir(), "tenfold-cluster-"));
afterAll(() => rmSync(root, { recursive: true }));

/** A folder where `tenfold up` keeps these databases. */
function folderWith(...names: string[]): string {
  const folder = mkdtempSync(join(root, "app-"));
  const state = join(folder, ".tenfold");
  mkdirSync(join(state, "databases"), { recursive: true });
  mkdirSync(join(state, "journal"));
  const places = names.map((name) => [name, { folder: `/srv/${name}`, servers: ["db1"] }]);
  writeFileSync(join(state, "databases/index.json"), JSON.stringify(Object.fromEntries(places)));
  return folder;
}

describe("a database to be looked at", () => {
  test("of the config is the one of that name in its cluster; the only one needs no name", () => {
    expect(clusterDatabase(folderWith("shop"), undefined, undefined)).toEqual({
      folder: "/srv/shop",
      name: "shop",
    });
    const two = folderWith("shop", "logs");
    expect(clusterDatabase(two, undefined, "logs")).toEqual({ folder: "/srv/logs", name: "logs" });
    expect(() => clusterDatabase(two, undefined, undefined)).toThrow("there are several databases");
    expect(() => clusterDatabase(two, undefined, "none")).toThrow('there is no database "none"');
  });

  test("of a folder is any in its cluster, and by itself the config's own", () => {
    const folder = folderWith("shop");
    expect(clusterDatabase(folder, "/srv/shop", undefined)).toEqual({ folder: "/srv/shop", name: "shop" });
    expect(clusterDatabase(folder, "c", "any")).toEqual({ folder: join(folder, "c"), name: "any" });
    expect(clusterDatabase(folder, "c", undefined)).toEqual({ folder: join(folder, "c"), name: "postgres" });
  });

  test("beside `tenfold db serve` is any in its cluster, too", () => {
    const folder = folderWith();
    const served = join(folder, ".tenfold/database");
    expect(clusterDatabase(folder, undefined, "any")).toEqual({ folder: served, name: "any" });
    expect(clusterDatabase(folder, undefined, undefined)).toEqual({ folder: served, name: "postgres" });
  });
});
