/** What a scraper or an autoscaler asks for over HTTP: `/metrics` for Prometheus, `/depth` as JSON. */
import { METRICS_CONTENT_TYPE } from "../base/index.ts";
import type { QueueStats } from "./stats.ts";

/** What is asked. */
interface Counted {
  stats(): Promise<QueueStats>;
  metrics(): Promise<string>;
}

/** What is used of Node's response. */
interface NodeResponse {
  writeHead(status: number, headers: Record<string, string>): unknown;
  end(text: string): unknown;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const JSON_TYPE = "application/json";

/** Answers whatever path ends with `/metrics` or `/depth`; `/depth?kind=mail` is of one kind. */
async function answer(queue: Counted, url: string): Promise<Answer> {
  const { pathname, searchParams } = new URL(url, "http://queue");
  try {
    if (pathname.endsWith("/metrics"))
      return { status: 200, type: METRICS_CONTENT_TYPE, text: await queue.metrics() };
    if (!pathname.endsWith("/depth")) return { status: 404, type: JSON_TYPE, text: '{"error":"not-found"}' };
    const stats = await queue.stats();
    const kind = searchParams.get("kind");
    if (kind === null) return { status: 200, type: JSON_TYPE, text: JSON.stringify(stats) };
    const counts = Object.hasOwn(stats.kinds, kind) ? stats.kinds[kind] : undefined;
    if (counts === undefined) return { status: 404, type: JSON_TYPE, text: '{"error":"no-such-kind"}' };
    const { ready, active, oldestMs } = counts;
    return { status: 200, type: JSON_TYPE, text: JSON.stringify({ depth: ready + active, oldestMs }) };
  } catch {
    return { status: 503, type: JSON_TYPE, text: '{"error":"database-away"}' };
  }
}

/** For handlers of the Fetch API. */
export function queueEndpoint(queue: Counted): (request: { readonly url: string }) => Promise<Response> {
  return async ({ url }) => {
    const { status, type, text } = await answer(queue, url);
    return new Response(text, { status, headers: { "content-type": type, "cache-control": "no-store" } });
  };
}

/** For Node's `http.createServer`, and Express. */
export function nodeQueueEndpoint(
  queue: Counted,
): (request: { readonly url?: string | undefined }, response: NodeResponse) => Promise<void> {
  return async ({ url = "/" }, response) => {
    const { status, type, text } = await answer(queue, url);
    response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
    response.end(text);
  };
}
