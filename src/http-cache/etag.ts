/**
 * Entity tags (RFC 9110 §8.8.3): made from a body or a version, read from a field, compared.
 */
import { createHash } from "node:crypto";

/** One tag. Strong: equal tags mean equal bytes. Weak: equal tags mean that either will do. */
export interface EntityTag {
  readonly isWeak: boolean;
  /** What is between the quotes. */
  readonly text: string;
}

/** Bytes of the digest in a tag: 128 bits, far beyond chance. */
const DIGEST_BYTES = 16;

/** %x21 / %x23-7E and obs-text (RFC 9110 §8.8.3). */
const TAG = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/y;
const WHOLE_TAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/;

/** A tag of a body's bytes: strong, so that it serves for ranges too. Costs a SHA-256 of the body. */
export function strongEtag(body: string | Uint8Array): string {
  return `"${digest(body)}"`;
}

/** A weak tag of whatever changes when the content does: a row's version, an update time, a list of these. */
export function weakEtag(...versions: readonly (string | number | bigint | boolean | null)[]): string {
  return `W/"${digest(JSON.stringify(versions.map(String)))}"`;
}

/** A tag out of a field; undefined when it is none. */
export function parseEtag(text: string): EntityTag | undefined {
  if (!WHOLE_TAG.test(text)) return undefined;
  const isWeak = text.startsWith("W/");
  return { isWeak, text: text.slice(isWeak ? 3 : 1, -1) };
}

/** The tags of If-Match or If-None-Match, "*", or undefined when the field is malformed. */
export function parseEtags(field: string): "*" | readonly EntityTag[] | undefined {
  if (field.trim() === "*") return "*";
  const tags: EntityTag[] = [];
  let at = 0;
  while (at < field.length) {
    const [gap = ""] = /^[ \t]*(?:,[ \t]*)*/.exec(field.slice(at)) ?? [];
    // Between two tags there is a comma (RFC 9110 §5.6.1); empty members are let through.
    if (tags.length > 0 && gap !== "" && !gap.includes(",") && at + gap.length < field.length)
      return undefined;
    at += gap.length;
    if (at >= field.length) break;
    TAG.lastIndex = at;
    const match = TAG.exec(field);
    if (match === null) return undefined;
    tags.push({ isWeak: match[1] !== undefined, text: match[2] ?? "" });
    at = TAG.lastIndex;
    if (at < field.length && !/[ \t,]/.test(field[at] ?? "")) return undefined;
  }
  return tags;
}

/** Strong comparison (RFC 9110 §8.8.3.2): both strong and equal. */
export function equalStrong(one: EntityTag, other: EntityTag): boolean {
  return !one.isWeak && !other.isWeak && one.text === other.text;
}

/** Weak comparison: equal, weak or not. */
export function equalWeak(one: EntityTag, other: EntityTag): boolean {
  return one.text === other.text;
}

function digest(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest().subarray(0, DIGEST_BYTES).toString("base64url");
}
