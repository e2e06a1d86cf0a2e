// The routes of the target tests in Hono.
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { stream } from "hono/streaming";
import { LARGE, ticks } from "./content.js";

const app = new Hono();
app.get("/hello", (context) => context.text("hello"));
app.get("/forwarded", (context) => context.text(context.req.header("x-forwarded-for") ?? ""));
app.post("/echo", async (context) => context.text(await context.req.text()));
app.get("/stream", (context) =>
  stream(context, async (out) => {
    for await (const tick of ticks()) await out.write(tick);
  }),
);
app.get("/large", (context) => context.body(LARGE));
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.env.PORT) });
