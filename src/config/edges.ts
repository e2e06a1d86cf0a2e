/** Several installations of one site: who answers when a group is lost, and who else is told of a purge. */

/** A group that takes the requests of another one that is lost. */
export interface FallbackConfig {
  readonly group: string;
  /** Requests that it may have in flight on behalf of the other, over all workers; more are answered 503 `fallback-full`. */
  readonly requestsMax: number;
}

/** Another installation of the same site. */
export interface EdgeConfig {
  readonly name: string;
  /** Where its admin API is: "https://10.0.0.2:7070", without a slash at the end; http on loopback alone. */
  readonly admin: string;
  /** A file with the token of that API, absolute. */
  readonly tokenFile: string;
  /** A shield answers edges, so it has to have forgotten before they do. */
  readonly role: EdgeRole;
}

/** The roles, by the names of the config. */
export const EDGE_ROLES = ["edge", "shield"] as const;

/** One of `EDGE_ROLES`. */
export type EdgeRole = (typeof EDGE_ROLES)[number];
