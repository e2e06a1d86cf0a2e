/**
 * What a request is answered with when its session fails.
 */
import { SessionError } from "../errors.ts";
import type { Fields, Session } from "../session.ts";

/** An answer in the words of any framework. */
export interface Failure {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The answer for a `SessionError`; undefined for other errors, which are not ours to answer. */
export function failureOf(error: unknown): Failure | undefined {
  if (!(error instanceof SessionError)) return undefined;
  return {
    status: error.status,
    headers: { ...error.headers, "content-type": "application/json" },
    body: error.body(),
  };
}

/**
 * Passes a request with a signed-in user. While the store is away nobody is known, so that it is 503, not 401: the user
 * is not to be sent to the sign-in page. A snapshot counts as signed in.
 *
 * @throws SessionError "session-store-unavailable" or "session-required".
 */
export function requireUser<T extends Fields>(session: Session<T>): string {
  if (session.status === "unavailable") throw new SessionError("session-store-unavailable");
  if (session.user === undefined) throw new SessionError("session-required");
  return session.user;
}
