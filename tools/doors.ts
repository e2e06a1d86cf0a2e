/**
 * Builds what apps import as `tenfold/…` for Node, so that examples run in a clone: bundles in dist/, without types, in a
 * tenth of a second and by Bun alone. `npm ci` and `npm start` call it; what is published is made by `npm run build`.
 *
 *     bin/bun tools/doors.ts [FOLDER]     default: dist
 */
import { readdirSync, rmSync } from "node:fs";
import { basename, join, relative } from "node:path";
import packageJson from "../package.json" with { type: "json" };

const ROOT = join(import.meta.dirname, "..");

/** Writes the bundles of all doors to a folder, as package.json has them in dist/. Rejects when one cannot be built. */
export async function buildDoors(folder: string): Promise<void> {
  const { outputs } = await Bun.build({
    entrypoints: Object.values(packageJson.exports).map((door) => join(ROOT, door.bun)),
    root: join(ROOT, "src"),
    outdir: folder,
    target: "node",
    packages: "external",
    splitting: true,
    naming: { entry: "[dir]/[name].js", chunk: "chunks/[hash].js" },
  });
  // Chunks are named by their content: those of an earlier build would stay for ever.
  const built = new Set(outputs.map(({ path }) => basename(path)));
  const chunks = join(folder, "chunks");
  for (const name of readdirSync(chunks)) if (!built.has(name)) rmSync(join(chunks, name));
}

if (import.meta.main) {
  const folder = join(ROOT, process.argv[2] ?? "dist");
  await buildDoors(folder);
  console.log(`tenfold/… for Node is in ${relative(ROOT, folder)}/`);
}
