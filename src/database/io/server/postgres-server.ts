/**
 * One Postgres server: its data directory, its process, our connection to it. Everything that is done to a server is done here
 * or in a module beside this one; when to do it is decided elsewhere.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Log, Scheduler } from "../../../base/index.ts";
import type { ServerState, StopMode } from "../../orders.ts";
import {
  connectionInfo,
  type Peers,
  quorumOf,
  REPLICATION_ROLE,
  type ServerSettings,
  SUPERUSER,
  settingsOf,
  type Upstream,
} from "../../server-settings.ts";
import { type DatabaseServerView, parseServerView, SERVER_VIEW_QUERY } from "../../server-view.ts";
import type { Binaries } from "./binaries.ts";
import { type ControlClient, connectControl, type Row } from "./control-client.ts";
import {
  changeRole,
  hasData,
  initialise,
  markReplica,
  passFileText,
  readRole,
  replicationRole,
  writeSettings,
} from "./data-directory.ts";
import { type GivenSettings, givenSettings } from "./given-settings.ts";
import { ensureReachable, linkTarget, makePrivateFolder, type Owner, writeOwned } from "./owner.ts";
import { ServerError } from "./problem.ts";
import { promote } from "./promotion.ts";
import { reachableHost } from "./reachable-host.ts";
import { forgetReserved } from "./reserve-timelines.ts";
import { type ServerExit, ServerProcess, type ServerProcessOptions, startProblem } from "./server-process.ts";
import { setSlots } from "./slots.ts";
import { placeTlsFiles, type TlsSources, tlsFilesIn } from "./tls-files.ts";
import { untilSetting } from "./until-setting.ts";

/** What a server is made of. */
export interface PostgresServerOptions {
  /** "db1": also its application_name, and its slot's. */
  readonly name: string;
  /** Everything of it is in here: "data", the log, the socket, scripts. */
  readonly folder: string;
  readonly binaries: Binaries;
  readonly owner: Owner;
  readonly settings: Omit<ServerSettings, "socketFolder" | "tls" | keyof GivenSettings>;
  /** Who may connect from beyond loopback. */
  readonly peers: Peers;
  /** The server's certificate and key, and the CA of all servers of its cluster, PEM. They speak TLS to each other then. */
  readonly tls?: TlsSources | undefined;
  /** Whoever gets to its socket is let in: for data whose passwords nobody knows. Its folder is closed to all but its owner. */
  readonly trustsSocket?: boolean;
  /** The same in all servers of a cluster. */
  readonly passwords: { readonly superuser: string; readonly replication: string };
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Log;
}

/** Recovery of a large server may take this long. */
const START_TIMEOUT_MS = 300_000;

/** "Fast" still writes a checkpoint. */
const STOP_TIMEOUT_MS = 60_000;

/** Time for clients to be told before the kill of a fence. */
const FENCE_GRACE_MS = 200;
const FENCE_TIMEOUT_MS = 5_000;

/** A server that cannot say in this time how it is hangs. */
const VIEW_TIMEOUT_MS = 5_000;

/** Longest path of a Unix socket, less the name that Postgres gives it. */
const SOCKET_FOLDER_CHARS_MAX = 85;

export class PostgresServer {
  readonly options: PostgresServerOptions;
  /** Called before a process of it is started, the last thing but one. */
  onStarting: () => Promise<void> = async () => {};
  /** Called as soon as there is one. It is ended when this throws. */
  onStarted: () => void = () => {};
  /** Called when the server ends without having been asked to. */
  onCrash: (exit: ServerExit) => void = () => {};
  #process: ServerProcess | undefined;
  #fencing: Promise<void> | undefined;
  #client: Promise<ControlClient> | undefined;
  #state: ServerState = "stopped";
  /** A promotion was asked for since its start; Postgres may carry it out at any later time. */
  #wasPromoted = false;

  constructor(options: PostgresServerOptions) {
    this.options = options;
  }

  /** Its data directory; that of a server which was taken over is elsewhere, and there is a link. */
  get data(): string {
    const own = join(this.options.folder, "data");
    return linkTarget(own) ?? own;
  }

  get name(): string {
    return this.options.name;
  }

  get state(): ServerState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#process?.identity.pid;
  }

  get logFile(): string {
    return join(this.options.folder, "postgres.log");
  }

  /** The password of replication, for libpq. */
  get passFile(): string {
    return join(this.options.folder, "replication.pass");
  }

  /** Where our own connections go: the socket, which no network setting can close. */
  get address(): { readonly host: string; readonly port: number } {
    const { folder, settings } = this.options;
    const hasSocket = folder.length <= SOCKET_FOLDER_CHARS_MAX;
    return { host: hasSocket ? folder : reachableHost(settings.host), port: settings.port };
  }

  /** Makes a new cluster with this server as its primary, and leaves it running. */
  async create(): Promise<void> {
    const { binaries, owner, passwords, settings } = this.options;
    await this.prepareFolder();
    await initialise({
      binaries,
      data: this.data,
      owner,
      password: passwords.superuser,
      durable: settings.durable,
    });
    await this.start();
    for (const statement of replicationRole(passwords.replication)) await this.query(statement);
  }

  /** Whether it has a cluster's data. */
  hasData(): Promise<boolean> {
    return hasData(this.data);
  }

  /** The folder, and the files beside the data. */
  async prepareFolder(): Promise<void> {
    const { folder, owner, passwords, tls } = this.options;
    await makePrivateFolder(folder, owner);
    await ensureReachable(folder, owner);
    if (tls !== undefined) await placeTlsFiles(tls, folder, owner);
    await writeOwned(this.passFile, passFileText(REPLICATION_ROLE, passwords.replication), owner);
  }

  /** Writes the settings that hold from the next start or reload on. */
  async writeSettings(): Promise<void> {
    const { name, folder, settings, peers, owner, binaries, trustsSocket = false } = this.options;
    const { host } = this.address;
    const socketFolder = host === folder ? folder : undefined;
    const given = await givenSettings(binaries, this.data);
    const tls = this.#tlsFiles;
    const all = settingsOf(name, { ...settings, ...given, socketFolder, tls });
    const rules = { isTls: tls !== undefined, trustsSocket: trustsSocket && host === folder };
    await writeSettings(this.data, { settings: all, peers, rules }, owner);
  }

  get #tlsFiles(): TlsSources | undefined {
    return this.options.tls && tlsFilesIn(this.options.folder);
  }

  /** Starts it and waits until it answers; does nothing when it runs. Throws why it does not. */
  async start(timeoutMs: number = START_TIMEOUT_MS): Promise<void> {
    await this.#fencing?.catch(() => {}); // who fences it is told
    if (this.#process?.isRunning === true) return;
    await this.#process?.ended.catch(() => {}); // what is left of its last run is killed, and must not be this one
    if (!(await hasData(this.data)))
      throw new ServerError("data-missing", `there is no cluster in ${this.data}: create or clone one`);
    if (this.adopt()) return this.#untilReady(timeoutMs);
    await this.writeSettings();
    // Whoever has been told whom to follow is a replica, whatever was interrupted meanwhile.
    if ((await readRole(this.data))["primary_conninfo"] !== undefined)
      await markReplica(this.data, this.options.owner);
    await forgetReserved(this.data);
    await this.onStarting();
    this.#state = "starting";
    this.#wasPromoted = false;
    this.#watch(ServerProcess.start(this.#processOptions()));
    try {
      this.onStarted();
    } catch (problem) {
      await this.fence(0);
      throw problem;
    }
    await this.#untilReady(timeoutMs);
  }

  /** Whether it may be taking writes: it runs, and nothing proves that it is a replica. */
  get mightWrite(): boolean {
    if (this.#process?.isRunning !== true) return false;
    return this.#wasPromoted || !existsSync(join(this.data, "standby.signal"));
  }

  /** Takes over a server that runs already, of an earlier agent. */
  adopt(): boolean {
    if (this.#process?.isRunning === true) return true;
    const found = ServerProcess.adopt(this.#processOptions());
    if (found === undefined) return false;
    this.#state = "running";
    this.#watch(found);
    return true;
  }

  async #untilReady(timeoutMs: number): Promise<void> {
    await this.#process?.ready(timeoutMs);
    if (this.#state === "starting") this.#state = "running";
  }

  #processOptions(): ServerProcessOptions {
    const { binaries, owner, clock, scheduler } = this.options;
    return { binaries, owner, clock, scheduler, data: this.data, log: this.logFile };
  }

  #watch(running: ServerProcess): void {
    this.#process = running;
    const over = (exit: ServerExit): void => {
      if (this.#process !== running) return;
      this.#dropClient();
      const wasAsked = this.#state === "stopping" || this.#state === "fenced";
      if (this.#state !== "fenced") this.#state = wasAsked ? "stopped" : "crashed";
      if (!wasAsked) this.onCrash(exit);
    };
    running.ended.then(over, () => over({ code: null, signal: null }));
  }

  /** Stops it in order; does nothing when it does not run. */
  async stop(mode: StopMode = "fast", timeoutMs: number = STOP_TIMEOUT_MS): Promise<void> {
    if (this.#process === undefined && !this.adopt()) return;
    if (this.#process?.isRunning !== true) return;
    this.#state = "stopping";
    this.#dropClient();
    await this.#process.stop(mode, timeoutMs);
    this.#state = "stopped";
  }

  /**
   * Ends it at once, with all its processes, and marks it a replica: it takes no more writes, not even when somebody starts
   * it by hand. Throws `stop-timeout` when processes hang in the kernel; then it must be assumed to write.
   */
  fence(graceMs: number = FENCE_GRACE_MS): Promise<void> {
    const fencing = this.#fence(graceMs).finally(() => {
      if (this.#fencing === fencing) this.#fencing = undefined;
    });
    this.#fencing = fencing;
    return fencing;
  }

  async #fence(graceMs: number): Promise<void> {
    this.adopt();
    this.#state = "fenced";
    this.#dropClient();
    if (this.#process?.isRunning === true) await this.#process.kill(graceMs, FENCE_TIMEOUT_MS);
    if (await hasData(this.data)) await markReplica(this.data, this.options.owner);
  }

  /** Has it read its settings again. */
  reload(): void {
    this.#process?.reload();
  }

  /** Runs one statement as the superuser. */
  async query(sql: string, values?: readonly string[], timeoutMs?: number): Promise<readonly Row[]> {
    if (this.#process?.isRunning !== true)
      throw new ServerError("not-running", `${this.name} does not run: start it`);
    this.#client ??= this.connect();
    const client = this.#client;
    try {
      return await (await client).query(sql, values, timeoutMs);
    } catch (problem) {
      const isLost = problem instanceof ServerError && problem.code !== "query-failed";
      if (isLost && this.#client === client) this.#dropClient();
      throw problem;
    }
  }

  /** A connection of one's own, as the superuser. */
  connect(database?: string): Promise<ControlClient> {
    const password = this.options.passwords.superuser;
    return connectControl({
      ...this.address,
      user: SUPERUSER,
      password,
      ...(database === undefined ? {} : { database }),
    });
  }

  /** A connection to another server of the cluster, as the superuser. */
  connectTo({ host, port }: { readonly host: string; readonly port: number }): Promise<ControlClient> {
    const tls = this.#tlsFiles;
    return connectControl({
      host,
      port,
      user: SUPERUSER,
      password: this.options.passwords.superuser,
      ...(tls === undefined ? {} : { tls: { mode: "verify-full", ca: tls.ca } }),
    });
  }

  /** How libpq's programs and the server itself connect to another server of the cluster. */
  connectionTo(upstream: Upstream): string {
    return connectionInfo(this.name, upstream, this.passFile, this.#tlsFiles?.ca);
  }

  #dropClient(): void {
    this.#client?.then(
      (client) => client.close(),
      () => {},
    );
    this.#client = undefined;
  }

  /** What it says of itself. */
  async view(): Promise<DatabaseServerView> {
    const [row] = await this.query(SERVER_VIEW_QUERY, [], VIEW_TIMEOUT_MS);
    return parseServerView(row?.["view"] ?? "");
  }

  /**
   * Makes the replica a primary; resolves when it takes writes. Does nothing on a primary. Returns the new timeline, which is `timeline` or a
   * higher one.
   */
  async promote(timeline = 0): Promise<number> {
    this.#wasPromoted = true;
    await promote(this, timeline);
    await changeRole(
      this.data,
      { primary_conninfo: undefined, primary_slot_name: undefined, restore_command: undefined },
      this.options.owner,
    );
    return (await this.view()).timeline;
  }

  /** Has a replica follow `upstream`, without a restart when it runs. It becomes a replica at its next start otherwise. */
  async follow(upstream: Upstream): Promise<void> {
    await changeRole(
      this.data,
      {
        primary_conninfo: this.connectionTo(upstream),
        primary_slot_name: upstream.slot,
        synchronous_standby_names: undefined,
      },
      this.options.owner,
    );
    if (this.#process?.isRunning === true) this.reload();
    else await markReplica(this.data, this.options.owner);
  }

  /** Stops a primary in order, which sends replicas all it has, and starts it as a replica of `upstream`. */
  async demote(upstream: Upstream): Promise<void> {
    await this.stop("fast");
    await markReplica(this.data, this.options.owner);
    await this.follow(upstream);
    await this.start();
  }

  /** Has commits wait until `count` of the replicas `names` have them on disk; 0 = for nobody. */
  async setQuorum(count: number, names: readonly string[]): Promise<void> {
    const value = quorumOf(count, names);
    await changeRole(
      this.data,
      { synchronous_standby_names: value === "" ? undefined : value },
      this.options.owner,
    );
    this.reload();
    await untilSetting(this, "synchronous_standby_names", value);
  }

  /** Makes exactly the slots of `servers`: others of ours are dropped when nobody uses them. */
  setSlots(servers: readonly string[]): Promise<void> {
    return setSlots(this, servers);
  }

  /** Why its last run ended, from its log. */
  whyEnded(): ServerError {
    return startProblem(this.#process?.lastLines() ?? "");
  }
}
