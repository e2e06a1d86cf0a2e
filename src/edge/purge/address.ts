/**
 * The URLs and prefixes that people write, as requests may write them.
 *
 * A key holds the host and the target byte by byte, while one URL has several spellings: the port may be left out, a
 * browser encodes what a script sends as it is. So a text becomes every spelling that is likely. A spelling too many
 * purges too much, one too few leaves something behind.
 */
import type { TargetUrl } from "./hashes.ts";

/** What is wrong with a text, and the mend. */
export interface Fault {
  readonly what: string;
  readonly mend: string;
}

/** Every spelling of what was written, or what is wrong with it. */
export type Spellings = readonly TargetUrl[] | Fault;

/** The longest that is taken: a request line has 8 KiB by default, a text in the log as well. */
const TEXT_MAX = 8000;

const DEFAULT_PORTS: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" };

/** An authority, and what follows it up to a fragment. */
const PARTS = /^(?:https?:)?\/\/([^/?#\\]*)([^#]*)/i;

/** What a request target can hold. */
const PRINTABLE = /^[!-~]*$/;

/** Reads a URL with its scheme; a fragment, which no request carries, is left out. */
export function readUrl(text: string): Spellings {
  if (!/^https?:\/\//i.test(text)) {
    const example = /^[\w.-]+\.[\w-]+(?:[:/]|$)/.test(text) ? `https://${text}` : "https://shop.example/a";
    return fault(text, "is no http or https URL", `write "${short(example)}"`);
  }
  const [, , rest = ""] = PARTS.exec(text) ?? [];
  const url = wellFormed(text);
  if (!(url instanceof URL)) return url;
  const written = rest.startsWith("/") ? rest : `/${rest}`;
  const targets = [...(PRINTABLE.test(written) ? [written] : []), `${url.pathname}${url.search}`];
  return product(hostsOf(url, authorityOf(text), [url.protocol]), targets);
}

/** Reads "shop.example/images/": a host and the beginning of a path, with or without a scheme. */
export function readPrefix(text: string): Spellings {
  const hasScheme = /^https?:\/\//i.test(text);
  const whole = hasScheme ? text : `http://${text}`;
  if (/[?#]/.test(text))
    return fault(text, `holds "${/[?#]/.exec(text)?.[0]}"`, "end the prefix before it, or purge the URL");
  if (text.includes("*")) return fault(text, 'holds "*"', "leave it out: a prefix needs none");
  if (/\/\.{1,2}(?:\/|$)/.test(text))
    return fault(text, "goes up or stays in its path", "write where it leads");
  if (!hasScheme && (text.startsWith("/") || text.includes("://")))
    return fault(text, "names no host", 'begin with it: "shop.example/images/"');
  const url = wellFormed(whole);
  if (!(url instanceof URL)) return url;
  const [, , path = ""] = PARTS.exec(whole) ?? [];
  const written = path === "" ? "/" : path;
  const targets = [...(PRINTABLE.test(written) ? [written] : []), url.pathname];
  const schemes = hasScheme ? [url.protocol] : Object.keys(DEFAULT_PORTS);
  return product(hostsOf(url, authorityOf(whole), schemes), targets);
}

/** Whether it is what is wrong, and not what was read. */
export function isFault(read: Spellings): read is Fault {
  return "what" in read;
}

function wellFormed(text: string): URL | Fault {
  if (text.length > TEXT_MAX) return fault(text, `has ${text.length} characters`, `keep to ${TEXT_MAX}`);
  // oxlint-disable-next-line no-control-regex -- what is looked for
  if (/[\x00-\x20\x7f]/.test(text)) return fault(text, "holds a blank", 'write it as "%20"');
  if (!URL.canParse(text)) return fault(text, "is no URL", 'write "https://shop.example/a"');
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    return { what: "holds a name or a password", mend: 'leave out what stands before the "@"' };
  if (url.hostname.includes("*")) return fault(text, 'holds "*" as its host', "name one host at a time");
  return url;
}

function authorityOf(text: string): string {
  return (PARTS.exec(text)?.[1] ?? "").toLowerCase();
}

/** The host as written, as browsers write it, and with the port that the scheme means. */
function hostsOf(url: URL, written: string, schemes: readonly string[]): readonly string[] {
  const ports = url.port === "" ? schemes.map((scheme) => `${url.hostname}:${DEFAULT_PORTS[scheme]}`) : [];
  return [url.host, ...ports, ...(PRINTABLE.test(written) ? [written] : [])];
}

function product(hosts: readonly string[], targets: readonly string[]): readonly TargetUrl[] {
  return [...new Set(hosts)].flatMap((host) => [...new Set(targets)].map((target) => ({ host, target })));
}

function fault(text: string, what: string, mend: string): Fault {
  return { what: `"${short(text)}" ${what}`, mend };
}

/** A problem is one line. */
function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
