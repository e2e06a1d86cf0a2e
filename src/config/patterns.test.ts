import { describe, expect, test } from "bun:test";
import { escapeRegex, globSource } from "./glob.ts";
import { nestsRepetition } from "./regex.ts";

describe("globs", () => {
  test.each([
    ["/img/**/*.png", ["/img/a.png", "/img/x/y/a.png"], ["/img/a.jpg", "/img.png", "/x/img/a.png"]],
    ["/a/*/c", ["/a/b/c", "/a//c"], ["/a/b/b/c", "/a/b/c/d"]],
    ["/v?", ["/v1", "/vä"], ["/v", "/v10", "/v/"]],
    ["/a.b/*x", ["/a.b/x", "/a.b/yx"], ["/aXb/x", "/a.b/y/x"]],
    ["/files/**.gz", ["/files/a/b.gz", "/files/.gz"], ["/files/a.gzz"]],
    ["/**/robots.txt", ["/robots.txt", "/a/b/robots.txt"], ["/robots.txt/a"]],
  ])("%p", (glob, matching, others) => {
    const regex = new RegExp(globSource(glob));
    expect(matching.filter((path) => !regex.test(path))).toEqual([]);
    expect(others.filter((path) => regex.test(path))).toEqual([]);
  });

  test("escaped text matches itself and nothing else", () => {
    const text = String.raw`a.b*c+d?e(f)[g]{h}|i^j$k\l`;
    expect(new RegExp(`^${escapeRegex(text)}$`).test(text)).toBe(true);
    expect(new RegExp(`^${escapeRegex("a.b")}$`).test("axb")).toBe(false);
  });
});

describe("nested repetition", () => {
  test.each([
    "(a+)+",
    "(a*)*",
    String.raw`(\w+\s?)*`,
    "((a+))+",
    "(?:a{2,})+",
    "(a|b+)*",
    "(x(a+)*y)*",
    "(?<n>.*)+",
  ])("is found in %p", (source) => {
    expect(nestsRepetition(source)).toBe(true);
  });

  test.each([
    "^(/[a-z]+)*$",
    "(a+b)+",
    "[(a+)+]",
    String.raw`\(a+\)+`,
    "(?=a+)b",
    "^/v[0-9]+/",
    "(a+)?",
    "(a+){2,3}",
    "(?:[a-z0-9-]+\\.)+example",
    "",
  ])("is not seen in %p", (source) => {
    expect(nestsRepetition(source)).toBe(false);
  });
});
