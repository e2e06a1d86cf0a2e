import { ask } from "../../../origin.mjs";

export default async function Page() {
  const response = await fetch(`${process.env.ORIGIN}/fetched`, {
    next: { tags: ["fetched"], revalidate: 3600 },
  });
  return (
    <p>
      {await response.text()} {await ask("/fetched-page")}
    </p>
  );
}
