import { describe, expect, test } from "bun:test";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { parseConfig, type UserRule } from "../../config/index.ts";
import { scratchFolder, tenfold } from "../testing.ts";

const SITE = {
  "public/index.html": '<link href="/assets/css/app.css"><img src="img/a.png">',
  "public/css/app.css": "a{b:url(../img/a.png)}",
  "public/img/a.png": "\x89PNG",
  "public/.hidden/secret": "s",
  "public/.env": "s",
};

function write(folder: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** Paths and contents of a folder, hidden ones too. */
function tree(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted();
  const files = paths.filter((path) => statSync(join(folder, path)).isFile());
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}

function stamps(folder: string): readonly string[] {
  return Object.keys(tree(folder)).map((path) => {
    const { ino, mtimeMs } = statSync(join(folder, path));
    return `${path} ${ino} ${mtimeMs}`;
  });
}

function manifest(folder: string): Record<string, string> {
  return JSON.parse(readFileSync(join(folder, "public-versioned/asset-manifest.json"), "utf8")) as Record<
    string,
    string
  >;
}

describe("tenfold assets", () => {
  test("writes each file under both names, with references to versions, and the table of names", async () => {
    using scratch = scratchFolder();
    write(scratch.path, SITE);
    const { code, out } = await tenfold(["assets", "public"], { cwd: scratch.path });
    expect([code, out]).toEqual([0, expect.stringContaining("3 files in public-versioned: 3 new versions")]);
    const names = manifest(scratch.path);
    const { "css/app.css": css = "", "img/a.png": image = "", "index.html": page = "" } = names;
    const files = tree(join(scratch.path, "public-versioned"));
    const paths = ["index.html", "css/app.css", "img/a.png", css, image, page, "asset-manifest.json"];
    expect(Object.keys(files).toSorted()).toEqual(paths.toSorted());
    expect(files["index.html"]).toBe(`<link href="/assets/${css}"><img src="${image}">`);
    expect(files[css]).toBe(`a{b:url(../${image})}`);
  });

  test("changes nothing when nothing has changed", async () => {
    using scratch = scratchFolder();
    write(scratch.path, SITE);
    await tenfold(["assets", "public"], { cwd: scratch.path });
    const before = stamps(join(scratch.path, "public-versioned"));
    const { out } = await tenfold(["assets", "public"], { cwd: scratch.path });
    expect(out).toContain("3 files in public-versioned: 0 new versions");
    expect(stamps(join(scratch.path, "public-versioned"))).toEqual(before);
  });

  test("keeps earlier versions beside the new ones", async () => {
    using scratch = scratchFolder();
    write(scratch.path, SITE);
    await tenfold(["assets", "public"], { cwd: scratch.path });
    const { "img/a.png": before = "" } = manifest(scratch.path);
    write(scratch.path, { "public/img/a.png": "new" });
    const { out } = await tenfold(["assets", "public"], { cwd: scratch.path });
    expect(out).toContain("3 new versions");
    const files = tree(join(scratch.path, "public-versioned"));
    expect([files[before], files[manifest(scratch.path)["img/a.png"] ?? ""]]).toEqual(["\x89PNG", "new"]);
  });

  test("prints a rule that a config takes, which matches versions and nothing else", async () => {
    using scratch = scratchFolder();
    write(scratch.path, SITE);
    const words = ["assets", "public", "--prefix", "/static/v1.0/", "--json"];
    const { rule } = JSON.parse((await tenfold(words, { cwd: scratch.path })).out) as { rule: UserRule };
    const outcome = parseConfig(
      {
        listeners: { web: { address: "127.0.0.1:1", rules: [rule] } },
        targetGroups: { web: { targets: ["h:1"] } },
      },
      { folder: "/", cores: 1 },
    );
    if (outcome.kind === "problems") throw new Error(JSON.stringify(outcome.problems));
    const { match, cache } = outcome.config.listeners[0]!.rules[0]!;
    expect(cache).toMatchObject({ ttlMs: 365 * 86_400_000, browser: "public, max-age=31536000, immutable" });
    const [path] = match.paths;
    const pattern = new RegExp(path?.kind === "regex" ? path.source : "never");
    const names = manifest(scratch.path);
    const isMatched = (name: string): boolean => pattern.test(`/static/v1.0/${name}`);
    expect([Object.values(names).every(isMatched), Object.keys(names).some(isMatched)]).toEqual([
      true,
      false,
    ]);
  });

  test("prints the same rule for people", async () => {
    using scratch = scratchFolder();
    write(scratch.path, SITE);
    const { out } = await tenfold(["assets", "public"], { cwd: scratch.path });
    const { rule } = JSON.parse(
      (await tenfold(["assets", "public", "--json"], { cwd: scratch.path })).out,
    ) as {
      rule: UserRule;
    };
    expect(JSON.parse(out.slice(out.indexOf("{")))).toEqual(rule);
  });

  test("goes into the folder and to the manifest that are named", async () => {
    using scratch = scratchFolder();
    write(scratch.path, SITE);
    const words = ["assets", "public", "--out", "srv/www", "--manifest", "names.json"];
    expect((await tenfold(words, { cwd: scratch.path })).code).toBe(0);
    const names = JSON.parse(readFileSync(join(scratch.path, "names.json"), "utf8")) as Record<
      string,
      string
    >;
    expect(Object.keys(tree(join(scratch.path, "srv/www")))).toContain(names["css/app.css"] ?? "");
  });

  test("follows a link to a file of the folder, and none that leads elsewhere", async () => {
    using scratch = scratchFolder();
    write(scratch.path, { ...SITE, "outside/secret": "s" });
    symlinkSync("a.png", join(scratch.path, "public/img/b.png"));
    expect((await tenfold(["assets", "public"], { cwd: scratch.path })).out).toContain("4 files");
    const rows: [target: string, err: string][] = [
      ["../outside/secret", "link is a link out of "],
      ["../outside", "link is a link out of "],
      ["img", "link is a link to a folder"],
      ["nowhere", "leads nowhere (ENOENT)"],
    ];
    for (const [target, err] of rows) {
      using other = scratchFolder();
      write(other.path, { ...SITE, "outside/secret": "s" });
      symlinkSync(target, join(other.path, "public/link"));
      const outcome = await tenfold(["assets", "public"], { cwd: other.path });
      expect([outcome.code, outcome.err]).toEqual([1, expect.stringContaining(err)]);
    }
  });

  test("never gives a version another content", async () => {
    using scratch = scratchFolder();
    write(scratch.path, SITE);
    await tenfold(["assets", "public"], { cwd: scratch.path });
    const version = join(scratch.path, "public-versioned", manifest(scratch.path)["img/a.png"] ?? "");
    writeFileSync(version, "changed");
    const { code, err } = await tenfold(["assets", "public"], { cwd: scratch.path });
    expect([code, err]).toEqual([1, expect.stringContaining("is there with another content: delete it")]);
    expect(readFileSync(version, "utf8")).toBe("changed");
  });

  test("refuses what it cannot do, and says why", async () => {
    using scratch = scratchFolder();
    write(scratch.path, SITE);
    mkdirSync(join(scratch.path, "empty"));
    mkdirSync(join(scratch.path, "large"));
    writeFileSync(join(scratch.path, "large/a.bin"), "");
    truncateSync(join(scratch.path, "large/a.bin"), 600 * 1024 * 1024);
    const rows: [words: string[], code: number, err: string][] = [
      [["none"], 1, "is no folder that can be read (ENOENT)"],
      [["empty"], 1, "empty holds no file"],
      [["large"], 1, "holds more than 512MiB: leave out what is no asset"],
      [["public", "--out", "large/a.bin/out"], 1, "cannot be written (ENOTDIR): make room for it"],
      [["public", "--out", "public/out"], 2, "write elsewhere: the next run would read it"],
      [["public", "--out", "public"], 2, "write elsewhere"],
      [["public", "--prefix", "assets"], 2, '--prefix is "assets": write a path such as "/assets", or "/"'],
      [["public", "--manifest", "public-versioned/index.html"], 1, "two files would be named index.html"],
    ];
    for (const [words, code, err] of rows) {
      const outcome = await tenfold(["assets", ...words], { cwd: scratch.path });
      expect([outcome.code, outcome.err]).toEqual([code, expect.stringContaining(err)]);
    }
  });
});
