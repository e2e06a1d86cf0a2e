// What both apps have: the config of docs/guide/nextjs.md, and where they are.
import { fileURLToPath } from "node:url";
import guide from "./.next/guide/next.config.mjs";

export const shared = {
  ...guide,
  turbopack: { root: fileURLToPath(new URL(".", import.meta.url)) },
};
