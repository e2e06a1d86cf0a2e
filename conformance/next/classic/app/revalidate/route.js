// Invalidates what the query says.
import { revalidatePath, revalidateTag } from "next/cache";

/** Query: `path`, or `tag`, softly with `profile`. */
export async function POST(request) {
  const { path, tag, profile = "0" } = Object.fromEntries(new URL(request.url).searchParams);
  if (path) revalidatePath(path);
  else revalidateTag(tag, profile === "0" ? { expire: 0 } : profile);
  return new Response("done");
}
