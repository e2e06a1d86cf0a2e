// What the app reads from: a server of the test, which counts and tells what it was asked. Not by fetch, which Next.js caches.
import { get } from "node:http";

/** The answer of $ORIGIN at a path. */
export function ask(path) {
  return new Promise((resolve, reject) => {
    const request = get(process.env.ORIGIN + path, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => (text += part));
      response.on("end", () => resolve(text));
    });
    request.on("error", reject);
  });
}
