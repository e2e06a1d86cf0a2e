import { cacheLife, cacheTag, updateTag } from "next/cache";
import { connection } from "next/server";
import { Suspense } from "react";
import { ask } from "../../../origin.mjs";

/** In the page that is prerendered. */
async function Shell() {
  "use cache";
  cacheLife("hours");
  cacheTag("shell");
  return <p>{await ask("/shell")}</p>;
}

/** In what is rendered for each request. */
async function Hole() {
  await connection();
  return <p>{await remote()}</p>;
}

async function remote() {
  "use cache: remote";
  cacheTag("remote");
  return await ask("/remote");
}

async function update() {
  "use server";
  updateTag("shell");
  updateTag("remote");
}

export default function Page() {
  return (
    <main>
      <Shell />
      <Suspense fallback="…">
        <Hole />
      </Suspense>
      <form action={update}>
        <button type="submit">update</button>
      </form>
    </main>
  );
}
