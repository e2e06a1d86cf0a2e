import { describe, expect, test } from "bun:test";
import { renderErrorPage } from "./error-page.ts";

const PAGE = {
  status: 502,
  code: "connect-refused",
  message: "The target refused <b>.",
  mend: "Start it.",
  requestId: "0001",
  tried: ["127.0.0.1:1: connect-refused"],
};

describe("an error page", () => {
  test("is JSON for whoever does not ask for HTML first", () => {
    for (const accept of ["", "*/*", "application/json, text/html"]) {
      const { contentType, body } = renderErrorPage(PAGE, accept);
      expect(contentType).toBe("application/json");
      expect(JSON.parse(body)).toEqual({ error: PAGE });
    }
  });

  test("is HTML for browsers, with everything escaped", () => {
    const { contentType, body } = renderErrorPage(PAGE, "text/html,application/xhtml+xml,*/*;q=0.8");
    expect(contentType).toStartWith("text/html");
    expect(body).toContain("The target refused &#60;b&#62;.");
    expect(body).toContain("<li><code>127.0.0.1:1: connect-refused</code></li>");
    expect(body).not.toContain("<b>");
  });

  test("names no targets when none were tried", () => {
    expect(renderErrorPage({ ...PAGE, tried: [] }, "text/html").body).not.toContain("Tried");
  });
});
