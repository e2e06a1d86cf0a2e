import { describe, expect, test } from "bun:test";
import { isFault, readPrefix, readUrl, type Spellings } from "./address.ts";

/** "host target" of each spelling, or what is wrong. */
function shown(read: Spellings): readonly string[] | string {
  return isFault(read) ? `${read.what}; ${read.mend}` : read.map(({ host, target }) => `${host} ${target}`);
}

describe("a URL to purge", () => {
  test("counts with and without the port that its scheme means", () => {
    expect(shown(readUrl("http://Shop.Example/a?b=1#c"))).toEqual([
      "shop.example /a?b=1",
      "shop.example:80 /a?b=1",
    ]);
    expect(shown(readUrl("https://shop.example:443/"))).toEqual(["shop.example /", "shop.example:443 /"]);
    expect(shown(readUrl("http://[::1]:8080/"))).toEqual(["[::1]:8080 /"]);
  });

  test("without a path is that of the root, also before a query", () => {
    expect(shown(readUrl("http://h:1"))).toEqual(["h:1 /"]);
    expect(shown(readUrl("http://h:1?a"))).toEqual(["h:1 /?a"]);
  });

  test("counts as it is written and as a browser writes it", () => {
    expect(shown(readUrl('http://h:1/a/../{b}?"'))).toEqual(['h:1 /a/../{b}?"', "h:1 /%7Bb%7D?%22"]);
    expect(shown(readUrl("http://bücher.example:1/ä"))).toEqual(["xn--bcher-kva.example:1 /%C3%A4"]);
  });

  test("that is none is refused with the mend", () => {
    const rows: [text: string, wrong: string][] = [
      ["/a", '"/a" is no http or https URL; write "https://shop.example/a"'],
      ["ftp://h/a", '"ftp://h/a" is no http or https URL; write "https://shop.example/a"'],
      ["http://h/a b", '"http://h/a b" holds a blank; write it as "%20"'],
      ["http://h:x/", '"http://h:x/" is no URL; write "https://shop.example/a"'],
      ["http://me:secret@h/", 'holds a name or a password; leave out what stands before the "@"'],
      ["http://*.h/", '"http://*.h/" holds "*" as its host; name one host at a time'],
    ];
    for (const [text, wrong] of rows) expect(shown(readUrl(text))).toBe(wrong);
    expect(shown(readUrl(`http://h/${"a".repeat(9000)}`))).toContain("has 9009 characters; keep to 8000");
  });
});

describe("a prefix to purge", () => {
  test("is a host and the beginning of a path; without a scheme both count", () => {
    expect(shown(readPrefix("Shop.example/img"))).toEqual([
      "shop.example /img",
      "shop.example:80 /img",
      "shop.example:443 /img",
    ]);
    expect(shown(readPrefix("https://h:8443/img/"))).toEqual(["h:8443 /img/"]);
  });

  test("of a host alone is all of that host, and of no other that begins so", () => {
    expect(shown(readPrefix("h:1"))).toEqual(["h:1 /"]);
  });

  test("that could leave something behind is refused", () => {
    const rows: [text: string, wrong: string][] = [
      ["h/a?b=", '"h/a?b=" holds "?"; end the prefix before it, or purge the URL'],
      ["h/a/*", '"h/a/*" holds "*"; leave it out: a prefix needs none'],
      ["h/a/../b", '"h/a/../b" goes up or stays in its path; write where it leads'],
      ["/a/", '"/a/" names no host; begin with it: "shop.example/images/"'],
      ["ftp://h/a", '"ftp://h/a" names no host; begin with it: "shop.example/images/"'],
    ];
    for (const [text, wrong] of rows) expect(shown(readPrefix(text))).toBe(wrong);
  });
});
