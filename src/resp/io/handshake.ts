/** What a client says first: which protocol, who it is, which database. */
import type { Request } from "../request.ts";
import type { StoreUrl } from "../store-url.ts";

/** What a client may choose. */
export interface HandshakeOptions {
  readonly protocol?: 2 | 3;
  readonly name?: string;
}

/** The requests that open a connection; each has one reply, and none may be an error. Never empty. */
export function handshake(url: StoreUrl, { protocol = 3, name }: HandshakeOptions): Request[] {
  const { username, password, database } = url;
  const requests: Request[] = protocol === 3 ? [hello(username, password)] : auth(username, password);
  if (name !== undefined) requests.push(["CLIENT", "SETNAME", name]);
  if (database !== 0) requests.push(["SELECT", database]);
  return requests.length > 0 ? requests : [["PING"]];
}

function hello(username: string | undefined, password: string | undefined): Request {
  return password === undefined ? ["HELLO", 3] : ["HELLO", 3, "AUTH", username ?? "default", password];
}

function auth(username: string | undefined, password: string | undefined): Request[] {
  if (password === undefined) return [];
  return [username === undefined ? ["AUTH", password] : ["AUTH", username, password]];
}
