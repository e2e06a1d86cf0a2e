/** What `status` says of databases: the agents of own servers are asked each second, so that who looks waits for nobody. */
import type { Cancel, Scheduler } from "../../base/index.ts";
import { type Config, type DatabaseConfig, formatAddress, WITNESS_NAME } from "../../config/index.ts";
import type { DatabaseServerStatus, DatabaseStatus } from "../api.ts";
import { type AskedServer, askAgents } from "./agents.ts";
import { type DatabasePlace, readPlaces } from "./places.ts";

const LOOK_MS = 1_000;

/** An agent answers from memory. */
const FACTS_TIMEOUT_MS = 2_000;

export class DatabaseWatch {
  readonly #config: () => Config;
  readonly #stateDirectory: string;
  readonly #scheduler: Scheduler;
  readonly #seen = new Map<string, readonly AskedServer[]>();
  #cancel: Cancel = () => {};
  #isOver = false;

  constructor(config: () => Config, stateDirectory: string, scheduler: Scheduler) {
    this.#config = config;
    this.#stateDirectory = stateDirectory;
    this.#scheduler = scheduler;
    this.#again(0);
  }

  stop(): void {
    this.#isOver = true;
    this.#cancel();
  }

  /** All databases of the config. */
  status(): readonly DatabaseStatus[] {
    const { databases } = this.#config();
    if (databases.length === 0) return [];
    const places = readPlaces(this.#stateDirectory);
    return databases.map((database) => {
      const { name, mode, address } = database;
      const place = database.url === undefined ? places[name] : undefined;
      return {
        name,
        mode,
        router: formatAddress(address),
        folder: place?.folder ?? null,
        servers:
          place === undefined
            ? elsewhere(database)
            : membersOf(database, place).map((member) => this.#server(name, member)),
      };
    });
  }

  #server(database: string, name: string): DatabaseServerStatus {
    const facts = this.#seen.get(database)?.find((server) => server.name === name)?.facts;
    if (facts === undefined)
      return { name, role: null, state: "no-agent", address: null, lagBytes: null, note: "" };
    const { state, port, view, order, problem, settings, witness } = facts;
    const waiting = settings.waiting.length === 0 ? "" : `${settings.waiting.join(", ")} wait for a restart`;
    return {
      name,
      role: witness === undefined ? (view?.role ?? null) : "witness",
      state,
      address: `127.0.0.1:${port}`,
      lagBytes: (view?.role === "primary" ? null : (view ?? witness)?.lagBytes) ?? null,
      note: problem ?? (order === null ? waiting : `${order.kind} is under way`),
    };
  }

  #again(afterMs: number): void {
    if (this.#isOver) return;
    this.#cancel = this.#scheduler.after(afterMs, () => {
      this.#look()
        .catch(() => {}) // a folder that cannot be read is told of by its agents
        .finally(() => this.#again(LOOK_MS));
    });
  }

  async #look(): Promise<void> {
    const own = this.#config().databases.filter(({ url }) => url === undefined);
    if (own.length === 0) return;
    const places = readPlaces(this.#stateDirectory);
    for (const { name } of own) {
      const folder = places[name]?.folder;
      if (folder !== undefined) this.#seen.set(name, await askAgents(folder, FACTS_TIMEOUT_MS));
    }
  }
}

function membersOf({ witness }: DatabaseConfig, { servers }: DatabasePlace): readonly string[] {
  return witness ? [...servers, WITNESS_NAME] : servers;
}

/** How servers elsewhere are, their router alone knows. */
function elsewhere({ url = "", replicaUrls }: DatabaseConfig): readonly DatabaseServerStatus[] {
  return [url, ...replicaUrls].map((text, index) => ({
    name: index === 0 ? "primary" : `replica${index}`,
    role: index === 0 ? "primary" : "replica",
    state: "elsewhere",
    address: URL.parse(text)?.host ?? null,
    lagBytes: null,
    note: "",
  }));
}
