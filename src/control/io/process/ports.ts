/**
 * Free ports for tasks, from a range below the kernel's ephemeral ports (32768 and up on Linux), so that no outgoing
 * connection takes one between our look and the app's bind.
 */

/** First and last port handed out: room for every target of a snapshot twice over. */
export const PORTS = { first: 20_000, last: 29_999 } as const;

/** Hands out ports in turn; one that was used rests longest before it is used again. */
export class Ports {
  readonly #taken = new Set<number>();
  #next: number;

  /** `start` in [0, 1) says where in the range to begin, so that two controllers rarely meet. */
  constructor(start: number) {
    this.#next = PORTS.first + Math.floor(start * (PORTS.last - PORTS.first + 1));
  }

  /** A port that nothing listens on, reserved until `release`; undefined when the whole range is taken. */
  take(): number | undefined {
    for (let tries = PORTS.last - PORTS.first; tries >= 0; tries -= 1) {
      const port = this.#next;
      this.#next = port === PORTS.last ? PORTS.first : port + 1;
      if (!this.#taken.has(port) && isFree(port)) {
        this.#taken.add(port);
        return port;
      }
    }
    return undefined;
  }

  /** Marks a port as used by an adopted task. */
  reserve(port: number): void {
    this.#taken.add(port);
  }

  release(port: number): void {
    this.#taken.delete(port);
  }
}

/** Whether both the loopback address and all addresses can be bound: an app may choose either. */
function isFree(port: number): boolean {
  return ["127.0.0.1", "0.0.0.0"].every((hostname) => canBind(hostname, port));
}

function canBind(hostname: string, port: number): boolean {
  try {
    Bun.listen({ hostname, port, exclusive: true, socket: { data() {} } }).stop(true);
    return true;
  } catch {
    return false;
  }
}
