import { afterEach, expect, test } from "bun:test";
import { gatewayTo, stopAll, Target, track } from "../../testing/index.ts";

afterEach(stopAll);

const PAGE =
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: no-cache\r\nETag: "1"\r\nLink: </a.css>; rel=preload\r\n\r\nok';

for (const earlyHints of [true, false]) {
  const what = earlyHints ? "are sent while" : "are not sent unless asked for, when";
  test(`the preloads of a stored page ${what} it is checked`, async () => {
    const target = track(await Target.start(() => PAGE));
    const gateway = await gatewayTo([target], { rule: { cache: { earlyHints } } });
    const client = await gateway.connect();
    expect((await client.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n")).status).toBe(200);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const head = await client.takeHead();
    expect(head.startsWith("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload")).toBe(earlyHints);
  });
}
