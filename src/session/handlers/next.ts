/**
 * Sessions for the app router of Next.js: server actions, route handlers and server components, which have their cookies
 * from `next/headers` and leave by `redirect()`, an exception.
 */
import type { Fields, OpenSession, Session, SessionSource } from "../session.ts";

/** What is used of `next/headers`. */
export interface NextHeaders {
  readonly cookies: () => Promise<NextCookies>;
  readonly headers: () => Promise<{ get(name: string): string | null }>;
}

/** What is used of the cookies of `next/headers`. */
export interface NextCookies {
  set(cookie: NextCookie): unknown;
}

/** A cookie in the words of Next.js. */
export interface NextCookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly httpOnly: true;
  readonly sameSite: "lax";
  readonly secure: boolean;
  /** Seconds; without it the cookie ends with the browser. */
  readonly maxAge?: number;
}

/** What a server component sees of a session: it is rendered after the head was sent, and changes nothing. */
export type ReadSession<T extends Fields> = Pick<
  Session<T>,
  "status" | "user" | "handle" | "get" | "has" | "names"
>;

/** Sessions of an app. */
export interface NextSessions<T extends Fields> {
  /**
   * For server actions and route handlers. Saves when `work` ends, by `redirect()` and `notFound()` too; what else it throws
   * is passed on, and nothing more is saved. Rejects with "session-not-saved" where the store does not confirm.
   */
  readonly withSession: <R>(work: (session: Session<T>) => R | Promise<R>) => Promise<R>;
  /** For server components. The use counts against `idle`. */
  readonly readSession: () => Promise<ReadSession<T>>;
}

/**
 * Makes both from the functions of `next/headers`:
 *
 *     export const { withSession, readSession } = nextSessions(sessions, { cookies, headers });
 *
 * `address` finds the client's address, for the list of devices.
 */
export function nextSessions<T extends Fields>(
  source: SessionSource<T>,
  { cookies, headers }: NextHeaders,
  {
    address,
  }: { readonly address?: (fields: { get(name: string): string | null }) => string | undefined } = {},
): NextSessions<T> {
  const open = async (): Promise<OpenSession<T>> => {
    const fields = await headers();
    return source.open({
      cookie: fields.get("cookie") ?? undefined,
      host: fields.get("host") ?? undefined,
      userAgent: fields.get("user-agent") ?? undefined,
      address: address?.(fields),
    });
  };
  const commit = async (opened: OpenSession<T>): Promise<void> => {
    const jar = await cookies();
    for (const field of await opened.commit()) jar.set(nextCookie(field));
  };
  return {
    withSession: async (work) => {
      const opened = await open();
      try {
        const result = await work(opened.session);
        await commit(opened);
        return result;
      } catch (error) {
        if (isNavigation(error)) await commit(opened);
        throw error;
      }
    },
    readSession: async () => {
      const opened = await open();
      // Its cookies only renew what the browser has: the next action or route handler sends them.
      await opened.commit().catch(() => []);
      return opened.session;
    },
  };
}

/** `redirect()`, `notFound()`, `forbidden()`, `unauthorized()`: how Next.js leaves, not a failure. */
function isNavigation(error: unknown): boolean {
  const { digest } = (error ?? {}) as { digest?: unknown };
  return typeof digest === "string" && /^NEXT_(?:REDIRECT|HTTP_ERROR_FALLBACK|NOT_FOUND)\b/.test(digest);
}

/** A Set-Cookie field of a session in the words of Next.js. */
function nextCookie(field: string): NextCookie {
  const [pair = "", ...attributes] = field.split("; ");
  const equal = pair.indexOf("=");
  const maxAge = /^Max-Age=(\d+)$/.exec(attributes.find((one) => one.startsWith("Max-Age=")) ?? "")?.[1];
  return {
    name: pair.slice(0, equal),
    value: pair.slice(equal + 1),
    path: "/",
    httpOnly: true,
    sameSite: "lax",
    secure: attributes.includes("Secure"),
    ...(maxAge === undefined ? {} : { maxAge: Number(maxAge) }),
  };
}
