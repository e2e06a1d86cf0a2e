/** Clients that wait for a server connection of one pool, the first first. */
import type { ClientConnection } from "./client-connection.ts";

export class ClientQueue {
  /** Those before the head have gone. */
  #clients: (ClientConnection | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#clients.length - this.#head;
  }
  /** Who has waited for longest. */
  get first(): ClientConnection | undefined {
    return this.#clients[this.#head];
  }

  push(client: ClientConnection): void {
    this.#clients.push(client);
  }

  shift(): ClientConnection | undefined {
    const client = this.first;
    if (client === undefined) return undefined;
    this.#clients[this.#head++] = undefined;
    if (this.#head === this.#clients.length) {
      this.#clients = [];
      this.#head = 0;
    }
    return client;
  }

  /** Whoever waits no longer. O(clients). */
  remove(client: ClientConnection): void {
    const at = this.#clients.indexOf(client, this.#head);
    if (at >= 0) this.#clients.splice(at, 1);
  }

  /** Those who have waited since `ms` or longer. O(clients). */
  since(ms: number): ClientConnection[] {
    return this.#clients.filter(
      (client) => client !== undefined && client.waitsSinceMs <= ms,
    ) as ClientConnection[];
  }
}
