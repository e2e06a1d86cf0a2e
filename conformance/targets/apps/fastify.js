// The routes of the target tests in Fastify.
import { Readable } from "node:stream";
import Fastify from "fastify";
import { LARGE, ticks } from "./content.js";

const app = Fastify();
app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
app.get("/hello", (_request, reply) => reply.send("hello"));
app.get("/forwarded", (request, reply) => reply.send(String(request.headers["x-forwarded-for"])));
app.post("/echo", (request, reply) => reply.send(request.body));
app.get("/stream", (_request, reply) => reply.send(Readable.from(ticks())));
app.get("/large", (_request, reply) => reply.send(LARGE));
await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
