/**
 * A small app to be run as a task. What it does is said by its environment:
 * MODE = good (default), deaf (never listens), exits (at once), lost (its health path answers 404).
 */
const mode = process.env["MODE"] ?? "good";

if (mode === "exits") {
  process.stderr.write("cannot find my settings\n");
  process.exit(7);
}
process.stdout.write(`mode ${mode}\n`);
if (mode === "deaf") setInterval(() => {}, 1000);
else {
  Bun.serve({
    hostname: "127.0.0.1",
    port: Number(process.env["PORT"]),
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/healthz") return new Response("", { status: mode === "lost" ? 404 : 200 });
      return Response.json({
        pid: process.pid,
        task: process.env["TENFOLD_TASK"],
        version: process.env["VERSION"],
      });
    },
  });
}
