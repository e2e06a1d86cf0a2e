// The routes of the target tests in Express.
import { Readable } from "node:stream";
import express from "express";
import { LARGE, ticks } from "./content.js";

const app = express();
app.use(express.text({ type: "*/*", limit: "1mb" }));
app.get("/hello", (_request, response) => response.send("hello"));
app.get("/forwarded", (request, response) => response.send(request.get("x-forwarded-for")));
app.post("/echo", (request, response) => response.send(request.body));
app.get("/stream", (_request, response) => void Readable.from(ticks()).pipe(response));
app.get("/large", (_request, response) => response.send(LARGE));
app.listen(Number(process.env.PORT), "127.0.0.1");
