/**
 * Versions of files: each gets a name that holds the hash of its content, so that a name never means two contents and
 * may be kept for ever.
 *
 * A file's content has the versions of what it refers to in it, so those are hashed first: a stylesheet gets a new
 * name when an image in it changes. Files that refer to each other in a circle are hashed together, with their plain
 * names in place of the versions within the circle: when one of them changes, all get new names.
 *
 * Pages (.html) are referred to by their plain names, for these are the addresses that people keep.
 */
import { createHash } from "node:crypto";
import { components } from "./components.ts";
import { mayRefer, type Reference, referencesIn, rewrite, versionedName } from "./references.ts";

/** One file with its version. */
export interface VersionedFile {
  /** "css/app.css": below the folder, with slashes. */
  readonly path: string;
  /** "css/app.0k3m9x2v.css" */
  readonly versioned: string;
  /** With the versions of what it refers to. */
  readonly bytes: Uint8Array;
}

/** Twenty consonants and ten digits: a version spells no word, so no plain name is taken for one. */
const ALPHABET = "0123456789bcdfghjkmnpqrstvwxyz";

/** 30^8 is 2^39: with a thousand versions of one file, one chance in a million that two share a name. */
const HASH_LENGTH = 8;

/** Matches a version, and nothing that people write: for a rule on paths. */
export const VERSION_PATTERN = "[0-9bcdfghjkmnp-tv-z]{8}";

/** Whether a file is a page, which is addressed by its plain name. */
export function isPage(path: string): boolean {
  return /\.html?$/i.test(path);
}

/** The versions of all files of a folder, in the order of their paths. `prefix` is the path that it is served under. */
export function versionsOf(files: ReadonlyMap<string, Uint8Array>, prefix: string): readonly VersionedFile[] {
  const paths = [...files.keys()].toSorted();
  const has = (path: string): boolean => files.has(path) && !isPage(path);
  const texts = new Map<string, Text>();
  for (const path of paths) {
    if (!mayRefer(path)) continue;
    const text = Buffer.from(files.get(path) ?? []).toString("latin1");
    texts.set(path, { text, references: referencesIn(text, { from: path, prefix, has }) });
  }
  const hashes = hashAll(paths, texts, files);
  return paths.map((path) => ({
    path,
    versioned: versionedName(path, hashes.get(path) ?? ""),
    bytes: bytesOf(texts.get(path), files.get(path), (target) => hashes.get(target)),
  }));
}

interface Text {
  readonly text: string;
  readonly references: readonly Reference[];
}

function hashAll(
  paths: readonly string[],
  texts: ReadonlyMap<string, Text>,
  files: ReadonlyMap<string, Uint8Array>,
): ReadonlyMap<string, string> {
  const numbers = new Map(paths.map((path, number) => [path, number]));
  const targets = (path: string): readonly string[] =>
    (texts.get(path)?.references ?? []).map(({ target }) => target);
  const edges = paths.map((path) => targets(path).map((target) => numbers.get(target) ?? -1));
  const hashes = new Map<string, string>();
  // What has no hash yet lies in the circle itself.
  const content = (path: string): Uint8Array =>
    bytesOf(texts.get(path), files.get(path), (target) => hashes.get(target));
  for (const component of components(edges)) {
    const members = component.map((number) => paths[number] ?? "").toSorted();
    const isCircle = members.length > 1 || members.some((path) => targets(path).includes(path));
    const found = isCircle ? hashCircle(members, content) : members.map((path) => hashOf([content(path)]));
    for (const [at, path] of members.entries()) hashes.set(path, found[at] ?? "");
  }
  return hashes;
}

/** One hash over all members, then one for each from that and its name. */
function hashCircle(members: readonly string[], content: (path: string) => Uint8Array): readonly string[] {
  const whole = createHash("sha256");
  for (const path of members) {
    const bytes = content(path);
    whole.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  const digest = whole.digest();
  return members.map((path) => hashOf([digest, Buffer.from(path)]));
}

function bytesOf(
  text: Text | undefined,
  bytes: Uint8Array | undefined,
  hash: (target: string) => string | undefined,
): Uint8Array {
  if (text === undefined || text.references.length === 0) return bytes ?? new Uint8Array();
  return Buffer.from(rewrite(text.text, text.references, hash), "latin1");
}

function hashOf(parts: readonly Uint8Array[]): string {
  const whole = createHash("sha256");
  for (const part of parts) whole.update(part);
  let rest = whole.digest().readBigUInt64BE();
  const base = BigInt(ALPHABET.length);
  let hash = "";
  for (let digit = 0; digit < HASH_LENGTH; digit++) {
    hash += ALPHABET[Number(rest % base)];
    rest /= base;
  }
  return hash;
}

/** Plain name -> versioned name, as a JSON text in a fixed order. */
export function manifestOf(files: readonly VersionedFile[]): string {
  const table = Object.fromEntries(files.map(({ path, versioned }) => [path, versioned]));
  return `${JSON.stringify(table, undefined, 2)}\n`;
}

/** A name that two files would get, one of them as its version; undefined as a rule. */
export function clashOf(files: readonly VersionedFile[], more: readonly string[]): string | undefined {
  const names = new Set<string>();
  return [...files.flatMap(({ path, versioned }) => [path, versioned]), ...more].find((name) => {
    const isTaken = names.has(name);
    names.add(name);
    return isTaken;
  });
}
