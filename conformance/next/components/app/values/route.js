// What a cached function gives back, after it went through the cache.
import { cacheLife, cacheTag } from "next/cache";
import { connection } from "next/server";
import { ask } from "../../../origin.mjs";

/** Values that JSON does not know, and half a million characters of several bytes each. */
async function values(argument) {
  "use cache";
  cacheLife("hours");
  cacheTag("values");
  return {
    asked: await ask("/values"),
    argument,
    map: new Map([["key", new Date(0)]]),
    bytes: Uint8Array.from({ length: 256 }, (_, index) => index),
    text: "äöü😀".repeat(100_000),
  };
}

export async function GET() {
  await connection();
  const { asked, argument, map, bytes, text } = await values(new Set([1n]));
  return Response.json({
    asked,
    argument: [...argument].map(String),
    map: [...map].map(([key, date]) => [key, date.getTime()]),
    bytes: [...bytes],
    isWhole: text === "äöü😀".repeat(100_000),
  });
}
