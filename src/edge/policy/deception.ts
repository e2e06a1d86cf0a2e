/**
 * Web cache deception: "/account/x.css", which an application that ignores the rest of a path answers with the
 * account page. A cache that goes by the path would hand one user's page to everyone. So a response whose type is a
 * page or data, at a path that ends like a static file, is not stored.
 */

import type { CacheRequest } from "./message.ts";

/** Endings of files that are never pages or data. */
const STATIC_EXTENSIONS: ReadonlySet<string> = new Set(
  (
    "avif bmp css csv eot flac gif gz ico jar jpeg jpg js map mid midi mjs mkv mp3 mp4 ogg otf pdf png svg svgz tar " +
    "tif tiff ttf wasm wav webm webp woff woff2 zip zst"
  ).split(" "),
);

/** Types of pages and data. */
const DYNAMIC_TYPE =
  /^(?:text\/html|application\/xhtml\+xml|application\/(?:[a-z0-9.-]+\+)?json)[ \t]*(?:;|$)/i;

const EXTENSION = /\.([A-Za-z0-9]+)$/;

/** Whether the path of the target promises a static file and the type is that of a page or of data. */
export function isDeceptive(request: Pick<CacheRequest, "target">, contentType: string | undefined): boolean {
  if (contentType === undefined || !DYNAMIC_TYPE.test(contentType)) return false;
  const extension = EXTENSION.exec(request.target.split("?", 1)[0] ?? "")?.[1]?.toLowerCase();
  // A source map is JSON by its nature.
  return extension !== undefined && STATIC_EXTENSIONS.has(extension) && extension !== "map";
}
