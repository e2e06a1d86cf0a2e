// What both apps have.
import { fileURLToPath } from "node:url";

const handler = fileURLToPath(new URL("cache-handler.mjs", import.meta.url));

export const shared = {
  cacheHandler: handler,
  cacheHandlers: { default: handler, remote: handler },
  cacheMaxMemorySize: 0,
  distDir: "dist",
  generateBuildId: () => process.env.BUILD_ID,
  turbopack: { root: fileURLToPath(new URL(".", import.meta.url)) },
};
