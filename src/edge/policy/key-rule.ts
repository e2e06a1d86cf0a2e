/** A rule's idea of which requests are the same: plain data. */

/** What of a request makes up its key. */
export interface CacheKeyRule {
  /** Parameters that count, by name or by prefix ("utm_*"): all, none, those allowed, or all but those denied. */
  readonly query:
    | "all"
    | "none"
    | { readonly allow: readonly string[] }
    | { readonly deny: readonly string[] };
  /** Whether parameters are put in the order of their names; several with one name keep their own. */
  readonly sortQuery: boolean;
  /** Names of request fields, in small letters. */
  readonly headers: readonly string[];
  readonly cookies: readonly string[];
  /** Whether mobile, tablet and desktop are told apart. */
  readonly device: boolean;
  /** Languages of the site, the best of which for the client counts; empty for no difference. */
  readonly languages: readonly string[];
}

/** The key of scheme, host, path and query alone. */
export const DEFAULT_KEY_RULE: CacheKeyRule = {
  query: "all",
  sortQuery: false,
  headers: [],
  cookies: [],
  device: false,
  languages: [],
};
