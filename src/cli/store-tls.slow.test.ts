import { afterAll, describe, expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { hasOpenssl, makeAuthority, makeCertificate } from "../base/testing/certificates.ts";
import { AppFolders, freePorts, MAIN } from "./testing/app-folder.ts";

const folders = new AppFolders();
afterAll(() => folders.remove());

/** Says PING to its store, trusting what its runtime trusts, and answers with what came back. */
const APP = `
const url = new URL(process.env.TENFOLD_STORE_SHARED_URL);
const { connect } = require("node:tls");
const ask = () => new Promise((resolve) => {
  const socket = connect(Number(url.port), url.hostname, () =>
    socket.write("AUTH " + url.password + "\\r\\nPING\\r\\n"));
  let text = "";
  socket.on("data", (bytes) => { text += bytes; if (text.includes("PONG")) resolve(url.protocol + " " + text); });
  socket.on("error", (error) => resolve("failed: " + error));
});
Bun.serve({ port: process.env.PORT, fetch: async () => {
  const said = await ask();
  return new Response(said, { status: said.startsWith("failed") ? 503 : 200 });
} });
process.on("SIGTERM", () => process.exit(0));
`;

async function text(url: string): Promise<string> {
  const endMs = performance.now() + 20_000;
  for (;;) {
    const said = await fetch(url).then(
      (response) => (response.ok ? response.text() : ""),
      () => "",
    );
    if (said !== "" || performance.now() > endMs) return said;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The common name of the certificate that a port shows. */
function shown(port: number): Promise<unknown> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    });
    socket.on("error", resolve);
  });
}

describe.skipIf(!hasOpenssl)("TLS of a store (needs openssl)", () => {
  async function withTls(name: string, names: string, more: object = {}) {
    const app = folders.make(name, { tasks: 1 });
    const ca = makeAuthority(app.folder);
    makeCertificate(app.folder, "store", ca, names);
    await Bun.write(join(app.folder, "app.js"), APP);
    const path = join(app.folder, "tenfold.config.json");
    const config = (await Bun.file(path).json()) as Record<string, unknown>;
    const [port = 0] = freePorts(1);
    const tls = { cert: "store.pem", key: "store.key", ca: "ca.pem", ...more };
    const stores = { shared: { url: "embedded:", address: `127.0.0.1:${port}`, fsync: "off", tls } };
    await Bun.write(path, JSON.stringify({ ...config, stores }));
    const up = Bun.spawn([process.execPath, MAIN, "up"], {
      cwd: app.folder,
      stdout: "ignore",
      stderr: "pipe",
    });
    return { ...app, up };
  }

  test.each([
    ["its address", "IP:127.0.0.1", {}],
    ["the name in the config", "DNS:localhost", { host: "localhost" }],
  ])(
    "tasks call it by %s and trust its authority",
    async (what, names, more) => {
      const { url, up } = await withTls(`tls-${what.length}`, names, more);
      expect(await text(url)).toBe("rediss: +OK\r\n+PONG\r\n");
      up.kill("SIGINT");
      expect(await up.exited).toBe(0);
    },
    60_000,
  );

  test("whose certificate is for another name is refused before anything starts", async () => {
    const { up } = await withTls("tls-name", "DNS:elsewhere");
    expect(await up.exited).not.toBe(0);
    const said = await new Response(up.stderr).text();
    expect(said).toContain("is not for 127.0.0.1");
    expect(said).toContain("stores.shared.tls.host");
  }, 30_000);

  test("alone is by options, and a renewed certificate by SIGHUP", async () => {
    const ca = makeAuthority(folders.root);
    const [one, two] = [makeCertificate(folders.root, "one", ca), makeCertificate(folders.root, "two", ca)];
    const [port = 0] = freePorts(1);
    const command = ["store", "--address", `127.0.0.1:${port}`, "--fsync", "off"];
    const files = ["--tls-cert", one.cert, "--tls-key", one.key];
    const child = Bun.spawn([process.execPath, MAIN, ...command, ...files], {
      cwd: folders.root,
      stdout: "pipe",
      stderr: "inherit",
    });
    const output = child.stdout.getReader();
    const line = async (): Promise<string> => new TextDecoder().decode((await output.read()).value);
    expect(await line()).toContain(`store at rediss://127.0.0.1:${port}`);
    expect(await shown(port)).toBe("one");
    copyFileSync(two.cert, one.cert);
    copyFileSync(two.key, one.key);
    child.kill("SIGHUP");
    expect(await line()).toContain("the certificate was read again");
    expect(await shown(port)).toBe("two");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  }, 30_000);

  test.each([
    [["--tls-cert", "x.pem"], "needs a certificate and its key"],
    [["--tls-cert", "x.pem", "--tls-key", "x.key"], "x.pem cannot be read"],
  ])("refuses %p in a sentence", async (words, told) => {
    const child = Bun.spawn([process.execPath, MAIN, "store", "--fsync", "off", ...words], {
      cwd: folders.root,
      stdout: "ignore",
      stderr: "pipe",
    });
    expect(await child.exited).not.toBe(0);
    expect(await new Response(child.stderr).text()).toContain(told);
  });
});
