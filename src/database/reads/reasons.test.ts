import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { READ_REASONS } from "./reasons.ts";

test("the guide has every reason, in the words of the table", () => {
  const guide = readFileSync(join(import.meta.dirname, "../../../docs/guide/reads.md"), "utf8");
  for (const [reason, meaning] of Object.entries(READ_REASONS))
    expect(guide).toContain(`| \`${reason}\` | ${meaning} |`);
});
