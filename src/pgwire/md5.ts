/** The old password exchange: "md5" and the digest of password, user and the server's salt. Only to log in to servers that ask for it. */
import { createHash } from "node:crypto";

const md5 = (data: string | Uint8Array): string => createHash("md5").update(data).digest("hex");

/** What answers AuthenticationMD5Password with its salt of four bytes. */
export function md5Password(user: string, password: string, salt: Uint8Array): string {
  const inner = createHash("md5")
    .update(md5(password + user), "latin1")
    .update(salt);
  return `md5${inner.digest("hex")}`;
}
