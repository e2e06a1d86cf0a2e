import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { resolvePath } from "./resolve-path.ts";

test("paths resolve as node:path resolves them", () => {
  const paths = [
    "",
    ".",
    "a",
    "a/b/",
    "./a/../b",
    "../x",
    "../../../..",
    "/abs",
    "/abs/../y/./z",
    "a//b",
    "…/ü",
  ];
  for (const folder of ["/", "/srv/app", "/srv/app/"])
    for (const path of paths) expect(resolvePath(folder, path)).toBe(resolve(folder, path));
});
