// Links and their clicks in one file that all tasks append to and read from.
//
// Each line is one event: {"code","url"} or {"code","clicks"}. A line goes out in one O_APPEND write, which the kernel
// keeps whole on a local disk; each task reads what the others added. So any task can answer any request.
//
// Its limits, plainly: one machine, a file that only grows, all links in memory. Past that, use a database.
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";

/** Clicks are counted in memory and written this often; a task that is killed loses at most this much counting. */
const FLUSH_MS = 100;

/** Opens the store in a folder, which is made when missing. */
export async function openStore(folder) {
  mkdirSync(folder, { recursive: true });
  const file = await open(join(folder, "links.ndjson"), "a+");
  const links = new Map(); // code -> { code, url, clicks }
  const unwritten = new Map(); // code -> clicks since the last flush
  const listeners = new Set();
  let offset = 0;
  let reading = Promise.resolve();

  const append = (event) => file.write(`${JSON.stringify(event)}\n`);

  const apply = ({ code, url, clicks }) => {
    if (url) links.set(code, { code, url, clicks: 0 });
    const link = links.get(code);
    if (link && clicks) link.clicks += clicks;
    if (link) for (const listen of listeners) listen(link);
  };

  /** Reads whole lines that were added since the last time; half a line waits for its rest. */
  const readNew = async () => {
    const { size } = await file.stat();
    if (size <= offset) return;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - offset), 0, size - offset, offset);
    const end = buffer.lastIndexOf(10, bytesRead - 1) + 1;
    offset += end;
    for (const line of buffer.toString("utf8", 0, end).split("\n")) if (line) apply(parse(line));
  };

  // One reader at a time; a read that failed does not stop the next.
  const refresh = () => (reading = reading.catch(() => {}).then(readNew));

  const flush = async () => {
    const counts = [...unwritten];
    unwritten.clear();
    await Promise.all(counts.map(([code, clicks]) => append({ code, clicks })));
    await refresh();
  };
  const timer = setInterval(
    () => void flush().catch((error) => console.error(`links: ${error.message}`)),
    FLUSH_MS,
  );

  await refresh();
  return {
    /** Keeps a link; it is on disk, and so known to every task, when this resolves. */
    async add(url) {
      const code = randomBytes(5).toString("base64url");
      await append({ code, url });
      await refresh();
      return links.get(code);
    },
    /** A link by its code, also one that another task made a moment ago. */
    async find(code) {
      if (!links.has(code)) await refresh();
      return links.get(code);
    },
    click: (code) => void unwritten.set(code, (unwritten.get(code) ?? 0) + 1),
    /** The newest first. */
    recent: (count) => [...links.values()].slice(-count).toReversed(),
    /** Calls `listen` with every link that changes, whichever task changed it; returns the way to stop. */
    watch(listen) {
      listeners.add(listen);
      return () => listeners.delete(listen);
    },
    async close() {
      clearInterval(timer);
      await flush();
      await file.close();
    },
  };
}

/** The event of one line; nothing for a line that a full disk cut short. */
function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    console.error(`links: skipped a line that is no JSON: ${line.slice(0, 80)}`);
    return {};
  }
}
