/** What ties a log-in to the TLS of its connection. */
import { endpointBinding } from "../../../../pgwire/index.ts";
import type { TcpSocket } from "../../../../transport/index.ts";

/** The channel binding of a connection to a server; undefined where it has none. */
export function bindingOf({ peerCertificate }: TcpSocket): Uint8Array | undefined {
  return peerCertificate === undefined ? undefined : endpointBinding(peerCertificate);
}
