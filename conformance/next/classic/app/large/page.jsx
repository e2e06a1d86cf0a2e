import { ask } from "../../../origin.mjs";

export const revalidate = 3600;

export default async function Page() {
  await ask("/large");
  return <pre>{Array.from({ length: 40_000 }, (_, line) => `line ${line} äöü 😀\n`).join("")}</pre>;
}
