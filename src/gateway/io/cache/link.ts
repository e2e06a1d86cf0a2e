/**
 * Between the workers of one gateway: a response that one of them is fetching, handed on to clients of another while it
 * comes, so that an object is fetched once and nobody waits for its end.
 *
 * Each worker listens on a socket in the state folder, which only its own user can open. A frame is
 *
 *   length (4, little endian) | kind (1) | number of the recording, drawn by who asks (4) | payload
 *
 * Who asks sends `join` with the key; the other answers with `head`, `data` … and `end`. What is to be kept is in memory
 * there and here; of a body that grows too large for that, which is said by `unkept`, who asked says with `taken` how much
 * of it all clients here have had, and the other is never far ahead. A worker that dies closes its sockets, and who
 * followed it looks again, or is cut when the head has gone out.
 */
import { unlinkSync } from "node:fs";
import type { Socket } from "bun";
import type { SliceVerdict, StoredHead, StoredMeta } from "../../../edge/index.ts";
import type { Edge } from "./edge.ts";
import type { Follower, RecordingState } from "./follower.ts";
import { AHEAD_BYTES_MAX, type Recording } from "./recording.ts";

/** What a frame is. */
const KIND = { join: 1, taken: 2, head: 3, data: 4, unkept: 5, end: 6 } as const;

const HEADER_BYTES = 9;

/** No frame of ours is longer: a chunk of a body is at most what one read brings. */
const FRAME_BYTES_MAX = 8 * 1024 * 1024;

/** An offset in a body; larger than 32 bits, and exact as a double. */
const OFFSET_BYTES = 8;

const NOTHING = new Uint8Array(0);

/** The address of a Unix socket ends there. */
const PATH_BYTES_MAX = 107;

/** What a head frame says beside the head's bytes. */
interface HeadNote {
  readonly status: number;
  readonly contentLength: number;
  readonly head: Omit<StoredHead, "bytes">;
  readonly meta: StoredMeta;
  readonly slice?: SliceVerdict;
}

/** One connection between two workers; each side keeps what the kernel does not take. */
class Peer {
  readonly #socket: Socket<Peer>;
  #input: Buffer = Buffer.alloc(0);
  #unsent: Uint8Array[] = [];
  readonly receive: (kind: number, number: number, payload: Buffer) => void;
  readonly drained: () => void;
  readonly closed: () => void;

  constructor(
    socket: Socket<Peer>,
    { receive, drained, closed }: Pick<Peer, "receive" | "drained" | "closed">,
  ) {
    this.#socket = socket;
    this.receive = receive;
    this.drained = drained;
    this.closed = closed;
  }

  /** Whether the other side has not yet taken what was sent. */
  get isFull(): boolean {
    return this.#unsent.length > 0;
  }

  send(kind: number, number: number, payload: Uint8Array): void {
    const frame = Buffer.alloc(HEADER_BYTES + payload.length);
    frame.writeUInt32LE(payload.length, 0);
    frame[4] = kind;
    frame.writeUInt32LE(number, 5);
    frame.set(payload, HEADER_BYTES);
    this.#write(frame);
  }

  #write(bytes: Uint8Array): void {
    const taken = this.isFull ? 0 : Math.max(0, this.#socket.write(bytes));
    if (taken < bytes.length) this.#unsent.push(bytes.subarray(taken));
  }

  flush(): void {
    for (let next = this.#unsent.shift(); next !== undefined; next = this.#unsent.shift()) {
      const taken = Math.max(0, this.#socket.write(next));
      if (taken === next.length) continue;
      this.#unsent.unshift(next.subarray(taken));
      return;
    }
    this.drained();
  }

  read(bytes: Buffer): void {
    this.#input = this.#input.length === 0 ? bytes : Buffer.concat([this.#input, bytes]);
    let at = 0;
    while (this.#input.length - at >= HEADER_BYTES) {
      const length = this.#input.readUInt32LE(at);
      if (length > FRAME_BYTES_MAX) return void this.#socket.end();
      const end = at + HEADER_BYTES + length;
      if (this.#input.length < end) break;
      const kind = this.#input[at + 4] ?? 0;
      this.receive(kind, this.#input.readUInt32LE(at + 5), this.#input.subarray(at + HEADER_BYTES, end));
      at = end;
    }
    // What is left is kept: the bytes that came are the socket's own.
    this.#input = Buffer.from(this.#input.subarray(at));
  }

  end(): void {
    this.#socket.end();
  }
}

/** A client of another worker that follows a recording of this one. */
class RemoteFollower implements Follower {
  readonly #peer: Peer;
  readonly #number: number;
  readonly #recording: Recording;
  readonly #done: () => void;
  #hasHead = false;
  #saidUnkept = false;
  #sent = 0;
  /** Of a body that is not kept: what all clients over there have had. */
  #taken = 0;

  constructor(peer: Peer, number: number, recording: Recording, done: () => void) {
    this.#peer = peer;
    this.#number = number;
    this.#recording = recording;
    this.#done = done;
  }

  get offset(): number {
    return this.#recording.keeps ? this.#sent : this.#taken;
  }

  /** Early hints are for those who are here. */
  interim(): void {}

  moved(): void {
    const recording = this.#recording;
    if (!this.#hasHead && (!recording.keeps || recording.state === "failed")) return this.#end("failed");
    if (!this.#hasHead) this.#sendHead(recording);
    if (!recording.keeps && !this.#saidUnkept) {
      this.#saidUnkept = true;
      this.#peer.send(KIND.unkept, this.#number, NOTHING);
    }
    while (this.#hasHead && this.#mayGoOn) {
      const chunk = recording.chunkAt(this.#sent);
      if (chunk === undefined) break;
      this.#peer.send(KIND.data, this.#number, chunk.bytes.subarray(chunk.start));
      this.#sent += chunk.bytes.length - chunk.start;
    }
    const isSent = recording.state !== "complete" || this.#sent === recording.total;
    if (recording.hasEnded && isSent) this.#end(recording.state);
  }

  get #mayGoOn(): boolean {
    const isAhead = !this.#recording.keeps && this.#sent - this.#taken > AHEAD_BYTES_MAX;
    return !isAhead && !this.#peer.isFull;
  }

  /** All clients over there have had the body up to `offset`. */
  tookUpTo(offset: number): void {
    this.#taken = offset;
    this.moved();
    if (!this.#recording.hasEnded) this.#recording.followed();
  }

  #sendHead({ head, meta, status, contentLength, slice }: Recording): void {
    if (head === undefined || meta === undefined) return;
    this.#hasHead = true;
    const { bytes, ...rest } = head;
    const note: HeadNote = {
      status,
      contentLength,
      head: rest,
      meta,
      ...(slice === undefined ? {} : { slice }),
    };
    const text = Buffer.from(JSON.stringify(note));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    this.#peer.send(KIND.head, this.#number, Buffer.concat([length, text, bytes.subarray(0, head.end)]));
  }

  #end(state: RecordingState): void {
    this.#recording.leave(this);
    this.#peer.send(KIND.end, this.#number, Buffer.from(state));
    this.#done();
  }

  leave(): void {
    this.#recording.leave(this);
  }
}

/** How long a worker that could not be reached is not asked: its flights are looked at until it is gone from them. */
const UNREACHABLE_MS = 1_000;

/** What a link works with. */
export interface LinkContext {
  /** This worker. */
  readonly worker: number;
  readonly pathOf: (worker: number) => string;
  readonly nowMs: () => number;
}

export class Link {
  readonly #edge: Edge;
  readonly #pathOf: (worker: number) => string;
  readonly #nowMs: () => number;
  readonly #server: { stop(closeConnections: boolean): void } | undefined;
  readonly #peers = new Map<number, Peer>();
  readonly #connecting = new Set<number>();
  readonly #following = new Map<number, { readonly worker: number; readonly recording: Recording }>();
  /** Worker -> when it was lost. */
  readonly #lostMs = new Map<number, number>();
  #number = 0;

  /** Listens at the path of `worker`; a path that is too long for a socket leaves it without a link. */
  constructor(edge: Edge, { worker, pathOf, nowMs }: LinkContext) {
    this.#edge = edge;
    this.#pathOf = pathOf;
    this.#nowMs = nowMs;
    const path = pathOf(worker);
    if (Buffer.byteLength(path) > PATH_BYTES_MAX) return;
    removeFile(path);
    this.#server = Bun.listen<Peer>({
      unix: path,
      socket: { ...handlers(), open: (socket) => this.#serve(socket) },
    });
  }

  /** Whether this worker can ask that one. */
  reaches(worker: number): boolean {
    const lostMs = this.#lostMs.get(worker) ?? Number.NEGATIVE_INFINITY;
    return this.#server !== undefined && this.#nowMs() - lostMs >= UNREACHABLE_MS;
  }

  stop(): void {
    this.#server?.stop(true);
    for (const peer of this.#peers.values()) peer.end();
    this.#peers.clear();
  }

  // --- asking -------------------------------------------------------------------------------------------------

  /**
   * Feeds `recording` with what `worker` is fetching. Nothing is awaited once there is a connection: inside an event of the
   * transport a promise would wait for the end of its turn.
   */
  follow(worker: number, recording: Recording): void {
    const number = ++this.#number;
    this.#following.set(number, { worker, recording });
    const peer = this.#peers.get(worker);
    if (peer === undefined) this.#connect(worker);
    else this.#join(peer, number, recording);
  }

  #join(peer: Peer, number: number, { order }: Recording): void {
    const { bytes } = order.key;
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    peer.send(KIND.join, number, Buffer.concat([length, bytes, Buffer.from(order.variant, "latin1")]));
  }

  /** Asks for everything that is wanted from `worker`, once there is a connection to it. */
  #connect(worker: number): void {
    if (this.#connecting.has(worker)) return;
    this.#connecting.add(worker);
    const done = (): void => void this.#connecting.delete(worker);
    Bun.connect<Peer>({ unix: this.#pathOf(worker), socket: handlers() })
      .then((socket) => this.#opened(worker, socket))
      .catch(() => this.#lost(worker))
      .finally(done);
  }

  #opened(worker: number, socket: Socket<Peer>): void {
    const peer = new Peer(socket, {
      receive: (kind, number, payload) => this.#received(kind, number, payload),
      drained: () => {},
      closed: () => {
        this.#peers.delete(worker);
        this.#lost(worker);
      },
    });
    socket.data = peer;
    this.#peers.set(worker, peer);
    for (const [number, wanted] of this.#following)
      if (wanted.worker === worker) this.#join(peer, number, wanted.recording);
  }

  #received(kind: number, number: number, payload: Buffer): void {
    const recording = this.#following.get(number)?.recording;
    if (recording === undefined) return;
    if (kind === KIND.head) {
      const length = payload.readUInt32LE(0);
      const note = JSON.parse(payload.toString("utf8", 4, 4 + length)) as HeadNote;
      recording.beganElsewhere({
        ...note,
        slice: note.slice,
        head: { ...note.head, bytes: Buffer.from(payload.subarray(4 + length)) },
      });
    } else if (kind === KIND.data) recording.cameElsewhere(Buffer.from(payload));
    else if (kind === KIND.unkept) recording.unkeptElsewhere((offset) => this.#tellTaken(number, offset));
    else if (kind === KIND.end) {
      this.#following.delete(number);
      recording.endedElsewhere(payload.toString() as RecordingState);
    }
  }

  #tellTaken(number: number, offset: number): void {
    const worker = this.#following.get(number)?.worker;
    const payload = Buffer.alloc(OFFSET_BYTES);
    payload.writeDoubleLE(offset);
    if (worker !== undefined) this.#peers.get(worker)?.send(KIND.taken, number, payload);
  }

  /** The worker is gone, or cannot be reached. */
  #lost(worker: number): void {
    this.#lostMs.set(worker, this.#nowMs());
    for (const [number, wanted] of this.#following) {
      if (wanted.worker !== worker) continue;
      this.#following.delete(number);
      wanted.recording.endedElsewhere(wanted.recording.state === "waiting" ? "failed" : "cut");
    }
  }

  // --- answering ----------------------------------------------------------------------------------------------

  #serve(socket: Socket<Peer>): void {
    const followers = new Map<number, RemoteFollower>();
    const peer = new Peer(socket, {
      receive: (kind, number, payload) => {
        if (kind === KIND.join) this.#joined(peer, followers, number, payload);
        else if (kind === KIND.taken) followers.get(number)?.tookUpTo(payload.readDoubleLE(0));
      },
      drained: () => {
        for (const follower of followers.values()) follower.moved();
      },
      closed: () => {
        for (const follower of followers.values()) follower.leave();
      },
    });
    socket.data = peer;
  }

  #joined(peer: Peer, followers: Map<number, RemoteFollower>, number: number, payload: Buffer): void {
    const length = payload.readUInt32LE(0);
    const key = payload.subarray(4, 4 + length);
    const recording = this.#edge.recordingOf(key, payload.toString("latin1", 4 + length));
    if (recording === undefined) return peer.send(KIND.end, number, Buffer.from("failed"));
    const follower = new RemoteFollower(peer, number, recording, () => followers.delete(number));
    followers.set(number, follower);
    recording.join(follower);
    if (recording.state !== "waiting") follower.moved();
  }
}

function handlers(): {
  readonly data: (socket: Socket<Peer>, bytes: Buffer) => void;
  readonly drain: (socket: Socket<Peer>) => void;
  readonly close: (socket: Socket<Peer>) => void;
  readonly error: (socket: Socket<Peer>) => void;
} {
  return {
    data: (socket, bytes) => socket.data.read(bytes),
    drain: (socket) => socket.data.flush(),
    close: (socket) => socket.data.closed(),
    error: (socket) => void socket.end(),
  };
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // There was none.
  }
}
