import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { missingRows } from "./lock.ts";

const ROOT = join(import.meta.dir, "..");

function lockOf(...names: string[]) {
  const optionalDependencies = Object.fromEntries(names.map((name) => [name, "1.2.3"]));
  return { packages: { "node_modules/tool": { version: "1.2.3", dev: true, optionalDependencies } } };
}

test("npm ci accepts the lock file: it has a row for every optional package of every platform", () => {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
  expect(missingRows(lock)).toEqual({});
});

test("the lock file is for this package.json", () => {
  const [lock, manifest] = ["package-lock.json", "package.json"].map((name) =>
    JSON.parse(readFileSync(join(ROOT, name), "utf8")),
  );
  const { dependencies, devDependencies, version } = lock.packages[""];
  expect({ dependencies, devDependencies, version }).toEqual({
    dependencies: manifest.dependencies,
    devDependencies: manifest.devDependencies,
    version: manifest.version,
  });
});

test("a missing row says what the package's name says", () => {
  const common = { version: "1.2.3", optional: true, dev: true };
  expect(
    missingRows(lockOf("@tool/linux-x64-musl", "@tool/binding-linux-arm-gnueabihf", "@tool/darwin-arm64")),
  ).toEqual({
    "node_modules/@tool/linux-x64-musl": { ...common, os: ["linux"], cpu: ["x64"], libc: ["musl"] },
    "node_modules/@tool/binding-linux-arm-gnueabihf": {
      ...common,
      os: ["linux"],
      cpu: ["arm"],
      libc: ["glibc"],
    },
    "node_modules/@tool/darwin-arm64": { ...common, os: ["darwin"], cpu: ["arm64"] },
  });
});

test("a name that says no platform is refused", () => {
  expect(() => missingRows(lockOf("fsevents"))).toThrow("does not say what it runs on");
});
