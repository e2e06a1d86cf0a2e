/** By what stored responses are told apart in a report of their use: folders of their path, kind of content, size. */
import { text } from "../../http/index.ts";
import type { Entry } from "../store/index.ts";

/** Folders that are looked at: `/a/` and `/a/b/`. Deeper ones hold too little to judge. */
const DEPTH_MAX = 2;

/** What stands for kinds and folders beyond those that are told apart. */
export const OTHERS = "others";

/** Upper ends of the classes, in bytes of the body. */
const SIZE_CLASSES: readonly (readonly [below: number, name: string])[] = [
  [1024, "below 1 KiB"],
  [10 * 1024, "1 to 10 KiB"],
  [100 * 1024, "10 to 100 KiB"],
  [1024 * 1024, "100 KiB to 1 MiB"],
  [Number.POSITIVE_INFINITY, "1 MiB and more"],
];

/** The URL that an entry was stored for. */
export interface StoredUrl {
  readonly host: string;
  /** Without its query. */
  readonly path: string;
  readonly query: string;
}

/** Reads it out of the key (see policy/cache-key.ts). */
export function urlOf({ bytes, keyOffset, keyBytes, urlStart, pathEnd }: Entry): StoredUrl {
  const key = text(bytes, keyOffset, keyOffset + keyBytes);
  const [host = "", path = ""] = key.slice(urlStart, pathEnd).split("\0");
  const [query = ""] = key.slice(pathEnd).split("\0");
  return { host, path, query };
}

/** Whether it is the compressed form of another one, which stands behind that one's key. */
export function isForm({ bytes, keyOffset, keyBytes, pathEnd }: Entry): boolean {
  return text(bytes, keyOffset + pathEnd, keyOffset + keyBytes).includes("\0\0");
}

/** "shop.example/img/", "shop.example/img/thumbs/"; none for what lies at the root. */
export function foldersOf({ host, path }: StoredUrl): string[] {
  const names = path.split("/").slice(1, -1);
  return names.slice(0, DEPTH_MAX).map((_, depth) => `${host}/${names.slice(0, depth + 1).join("/")}/`);
}

/** The class of a body's length. */
export function sizeClassOf(bodyBytes: number): string {
  return SIZE_CLASSES.find(([below]) => bodyBytes < below)?.[1] ?? OTHERS;
}

/** "text/html", "image/png" of a stored head; "none" where it does not say. O(head). */
export function contentTypeOf({ bytes, headOffset, bodyOffset }: Entry): string {
  const head = text(bytes, headOffset, bodyOffset);
  const [, type = "none"] = /^content-type: *([^\s;]{1,64})/im.exec(head) ?? [];
  return type.toLowerCase();
}
