// An app whose tasks share a file: each POST appends a line and answers when this task has read it, and what others wrote.
//
// One look at the file at a time, so that a task is a queue with one server; ten times a second each task also looks by
// itself. $DATA is the file.
import { open } from "node:fs/promises";
import { createServer } from "node:http";

/** Between two looks of a task by itself, ms. */
const OWN_LOOK_MS = 100;

const file = await open(process.env.DATA ?? "file-app.ndjson", "a+");
let offset = 0;
let reading = Promise.resolve();

async function readNew() {
  const { size } = await file.stat();
  if (size <= offset) return;
  const { bytesRead } = await file.read(Buffer.alloc(size - offset), 0, size - offset, offset);
  offset += bytesRead;
}

// A look that failed does not stop the next.
const look = () => (reading = reading.catch(() => {}).then(readNew));

async function append(request) {
  let line = "";
  for await (const chunk of request.setEncoding("utf8")) line += chunk;
  await file.write(`${line}\n`);
  await look();
}

const server = createServer((request, response) => {
  const done = request.method === "POST" ? append(request) : Promise.resolve();
  done.then(
    () => response.writeHead(request.method === "POST" ? 201 : 200).end("{}\n"),
    (error) => response.writeHead(500).end(`${error.message}\n`),
  );
});

setInterval(() => void look().catch((error) => console.error(error.message)), OWN_LOOK_MS).unref();
process.on("SIGTERM", () => server.close(() => process.exit(0)));
server.listen(Number(process.env.PORT), "127.0.0.1");
