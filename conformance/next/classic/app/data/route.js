// A route handler whose response is kept.
import { ask } from "../../../origin.mjs";

export const dynamic = "force-static";
export const revalidate = 3600;

/** Bytes that are no text. */
export async function GET() {
  await ask("/data");
  return new Response(Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7) % 256));
}
