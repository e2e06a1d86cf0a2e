import { describe, expect, test } from "bun:test";
import { mayRefer, referencesIn, rewrite, versionedName } from "./references.ts";

const FILES = ["app.js", "css/app.css", "img/a.png", "img/b c.png", "img/ä.png", "app.js.map", "LICENSE"];

/** The text of a file with the versions of what it refers to, each with the hash "H". */
function versioned(from: string, text: string, prefix = "/assets"): string {
  const bytes = Buffer.from(text).toString("latin1");
  const references = referencesIn(bytes, { from, prefix, has: (path) => FILES.includes(path) });
  return Buffer.from(
    rewrite(bytes, references, () => "H"),
    "latin1",
  ).toString();
}

describe("references between files", () => {
  const rows: [from: string, text: string, rewritten: string][] = [
    ["index.html", `<p>don't</p><img src="img/a.png">`, `<p>don't</p><img src="img/a.H.png">`],
    ["index.html", `<link href='/assets/css/app.css?v=1'>`, `<link href='/assets/css/app.H.css?v=1'>`],
    ["index.html", `<a href="./LICENSE#x">`, `<a href="./LICENSE.H#x">`],
    [
      "index.html",
      `<img srcset="img/a.png 1x, /assets/img/a.png 2x">`,
      `<img srcset="img/a.H.png 1x, /assets/img/a.H.png 2x">`,
    ],
    ["index.html", `<i style="background: url(img/a.png)">`, `<i style="background: url(img/a.H.png)">`],
    ["index.html", `<img src="img/b%20c.png"> ü`, `<img src="img/b%20c.H.png"> ü`],
    [
      "index.html",
      `<img src="img/ä.png"><img src="img/%C3%A4.png">`,
      `<img src="img/ä.H.png"><img src="img/%C3%A4.H.png">`,
    ],
    [
      "css/app.css",
      `a{b:url( ../img/a.png )}c{d:url("../img/a.png#e")}`,
      `a{b:url( ../img/a.H.png )}c{d:url("../img/a.H.png#e")}`,
    ],
    ["img/x.svg", `<image href="a.png"/>`, `<image href="a.H.png"/>`],
    [
      "app.js",
      `import "./css/app.css";let a=["img/a.png","x"]`,
      `import "./css/app.H.css";let a=["img/a.H.png","x"]`,
    ],
    ["app.js", `//# sourceMappingURL=app.js.map`, `//# sourceMappingURL=app.js.H.map`],
    ["app.js.map", `{"file":"app.js"}`, `{"file":"app.H.js"}`],
    ["data.json", `{"a":"/assets/app.js"}`, `{"a":"/assets/app.H.js"}`],
  ];
  for (const [from, text, rewritten] of rows)
    test(`in ${from}: ${text} leads to the version`, () => expect(versioned(from, text)).toBe(rewritten));

  test("are not what leads elsewhere, to no file, or is a word in a script", () => {
    const rest: [from: string, text: string][] = [
      ["index.html", `<img src="https://h/img/a.png"><img src="//h/img/a.png">`],
      ["index.html", `<img src="/img/a.png"><img src="/assetsimg/a.png"><img src="img/none.png">`],
      ["index.html", `img/a.png <img src="img%2Fa%2Epng"> <img src="100%">`],
      ["css/app.css", `a{b:url(img/a.png)}c{d:url(data:image/png;base64,AAAA)}`],
      ["app.js", `const name = "app.js"; const all = "a, img/a.png";`],
      ["data.json", `{"app.js":"LICENSE"}`],
      ["../x.css", `a{b:url(../../img/a.png)}`],
    ];
    for (const [from, text] of rest) expect(versioned(from, text)).toBe(text);
  });

  test("by absolute paths begin at the path that the folder is served under, be it the root", () => {
    expect(versioned("index.html", `"/img/a.png" "/assets/img/a.png"`, "")).toBe(
      `"/img/a.H.png" "/assets/img/a.png"`,
    );
  });

  test("are looked for in texts only, whatever the case of their ending", () => {
    expect(["a.HTML", "a.css", "a.png", "a"].map(mayRefer)).toEqual([true, true, false, false]);
  });
});

describe("a versioned name", () => {
  test("has the hash before its ending, or at its end", () => {
    const names = ["css/app.min.css", "LICENSE", "a.b/c"].map((path) => versionedName(path, "H"));
    expect(names).toEqual(["css/app.min.H.css", "LICENSE.H", "a.b/c.H"]);
  });
});
