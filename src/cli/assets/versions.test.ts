import { describe, expect, test } from "bun:test";
import { clashOf, VERSION_PATTERN, versionsOf } from "./versions.ts";

const VERSION = new RegExp(`^.+\\.${VERSION_PATTERN}(\\.[^./]+)?$`);

/** Plain name -> versioned name. */
function names(texts: Record<string, string>): Record<string, string> {
  return Object.fromEntries(versions(texts).map(({ path, versioned }) => [path, versioned]));
}

function versions(texts: Record<string, string>) {
  const files = new Map(Object.entries(texts).map(([path, text]) => [path, Buffer.from(text)]));
  return versionsOf(files, "/assets");
}

/** The files whose version differs. */
function changed(before: Record<string, string>, after: Record<string, string>): readonly string[] {
  const [old, fresh] = [names(before), names(after)];
  return Object.keys(fresh).filter((path) => old[path] !== fresh[path]);
}

const SITE = {
  "a.png": "A",
  "b.png": "B",
  "app.css": "x{y:url(a.png)}",
  "app.js": 'import "./app.css"',
  "index.html": '<script src="app.js"></script><a href="other.html">',
  "other.html": '<a href="index.html"><img src="b.png">',
};

describe("versions of files", () => {
  test("follow from names and contents alone, in any order", () => {
    const reversed = Object.fromEntries(Object.entries(SITE).toReversed());
    expect(names(reversed)).toEqual(names(SITE));
    expect(Object.values(names(SITE)).every((name) => VERSION.test(name))).toBe(true);
  });

  test("change with the content, and with what it refers to, and with nothing else", () => {
    expect(changed(SITE, { ...SITE, "a.png": "A2" })).toEqual(["a.png", "app.css", "app.js", "index.html"]);
    expect(changed(SITE, { ...SITE, "b.png": "B2" })).toEqual(["b.png", "other.html"]);
    expect(changed(SITE, { ...SITE, "index.html": "new" })).toEqual(["index.html"]);
  });

  test("of files in a circle change together, also through what the circle refers to", () => {
    const circle = {
      "1.js": 'import "./2.js"',
      "2.js": 'import "./3.js"; "./d.png"',
      "3.js": 'import "./1.js"',
      "4.js": 'import "./4.js"; import "./1.js"',
      "d.png": "D",
      "e.png": "E",
    };
    const all = ["1.js", "2.js", "3.js", "4.js"];
    expect(changed(circle, { ...circle, "3.js": 'import "./1.js";' })).toEqual(all);
    expect(changed(circle, { ...circle, "d.png": "D2" })).toEqual([...all, "d.png"]);
    expect(changed(circle, { ...circle, "e.png": "E2" })).toEqual(["e.png"]);
    expect(changed(circle, { ...circle, "4.js": 'import "./4.js";' })).toEqual(["4.js"]);
  });

  test("stand in what refers to them, in a circle too; pages keep their names there", () => {
    const found = versions({ ...SITE, "me.js": '"./me.js"' });
    const table = Object.fromEntries(found.map(({ path, versioned }) => [path, versioned]));
    const text = (wanted: string): string =>
      Buffer.from(found.find(({ path }) => path === wanted)?.bytes ?? []).toString();
    expect(text("app.css")).toBe(`x{y:url(${table["a.png"]})}`);
    expect(text("me.js")).toBe(`"./${table["me.js"]}"`);
    expect(text("index.html")).toBe(`<script src="${table["app.js"]}"></script><a href="other.html">`);
  });

  test("are never what people call a file", () => {
    for (const name of ["app.research.js", "app.bookmark.js", "app.12.js", "app.template.js"])
      expect(VERSION.test(name)).toBe(false);
  });

  test("that two files would share are found", () => {
    const { "a.js": taken = "" } = names({ "a.js": "1" });
    expect(clashOf(versions({ "a.js": "1", [taken]: "2" }), [])).toBe(taken);
    expect(clashOf(versions(SITE), ["app.css"])).toBe("app.css");
    expect(clashOf(versions(SITE), ["names.json"])).toBeUndefined();
  });
});
