/** `tenfold db backup`, `backups` and `restore`. */
import { resolve } from "node:path";
import { restoreDatabase } from "../../app/index.ts";
import { createLog, formatBytes } from "../../base/index.ts";
import type { Address } from "../../config/index.ts";
import { type BackupManifest, isName, type RestorePoint } from "../../database/index.ts";
import { BackupStore, verifyBackup } from "../../database/io/index.ts";
import type { Context } from "../context.ts";
import { asFailure } from "../controller.ts";
import { EXIT, UsageError } from "../failure.ts";
import { table } from "../render/table.ts";
import { carryOut, type Member, needPrimary } from "./cluster.ts";
import { untilStopped } from "./until-stopped.ts";

/** What these commands are asked. */
export interface BackupOptions {
  readonly backups: string | undefined;
  readonly backup: string | undefined;
  readonly label: string | undefined;
  readonly keep: number | undefined;
  readonly verify: boolean;
  readonly into: string | undefined;
  readonly time: string | undefined;
  readonly lsn: string | undefined;
  readonly point: string | undefined;
  readonly postgres: string | undefined;
  readonly user: string | undefined;
  readonly json: boolean;
}

/** Makes a base backup of the primary; with `keep` old ones go. */
export async function backUp(
  members: readonly Member[],
  { label = "by-hand", keep }: Pick<BackupOptions, "label" | "keep">,
  say: (line: string) => void,
): Promise<void> {
  if (!isName(label))
    throw new UsageError(`"${String(label)}" is no --label`, "write a word of a-z, 0-9, - and _");
  const primary = needPrimary(members);
  const detail = await carryOut(primary, {
    kind: "backup",
    label,
    ...(keep === undefined ? {} : { keep }),
  });
  say(
    `backup ${detail["id"]} of ${primary.name}: ${detail["files"]} files, ${detail["bytes"]} bytes, log ${detail["start"]} to ${detail["stop"]}`,
  );
  if (keep !== undefined)
    say(`removed: ${detail["gone"] || "no backup"}, ${detail["goneLog"]} files of the log`);
}

/** Lists the backups of a folder; with `verify` reads all their files. Fails when one is damaged. */
export async function listBackups(options: BackupOptions, { cwd, terminal }: Context): Promise<number> {
  const { backups, verify, json } = options;
  if (backups === undefined)
    throw new UsageError("backups needs to know where they are", "add --backups DIR");
  const store = new BackupStore(resolve(cwd, backups), undefined);
  const all = await store.list();
  const damages = new Map<string, string | undefined>();
  if (verify) for (const backup of all) damages.set(backup.id, await verifyBackup(store, backup));
  const damaged = all.flatMap(({ id }) => damages.get(id) ?? []);
  const about = (backup: BackupManifest) => ({
    ...aboutBackup(backup),
    damage: damages.get(backup.id) ?? null,
  });
  if (json) terminal.out(JSON.stringify(all.map(about)));
  else if (all.length === 0) terminal.out(`there is no backup in ${store.folder}`);
  else for (const line of lines(all, damages, verify, terminal.size().columns)) terminal.out(line);
  return damaged.length === 0 ? EXIT.ok : EXIT.failed;
}

function aboutBackup({ id, label, endedAtMs, start, stop, timeline, version, files }: BackupManifest) {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { id, label, endedAt: new Date(endedAtMs).toISOString(), bytes, start, stop, timeline, version };
}

function lines(
  all: readonly BackupManifest[],
  damages: ReadonlyMap<string, string | undefined>,
  verify: boolean,
  width: number,
): string[] {
  const columns = [
    { title: "BACKUP" },
    { title: "LABEL" },
    { title: "ENDED" },
    { title: "SIZE", align: "right" },
    { title: "TIMELINE", align: "right" },
    { title: "LOG FROM" },
    ...(verify ? [{ title: "FILES" } as const] : []),
  ] as const;
  const rows = all.map((backup) => {
    const { id, label, endedAt, bytes, timeline, start } = aboutBackup(backup);
    const files = verify ? [damages.get(id) ?? "whole"] : [];
    return [id, label, endedAt, formatBytes(bytes), String(timeline), start, ...files];
  });
  return table(columns, rows, width, (text) => text);
}

/** What is restored, and where to. */
export interface AskedRestore {
  readonly name: string;
  /** The cluster that the backup is of. */
  readonly folder: string;
  readonly address: Address;
  readonly options: BackupOptions;
}

/** Restores into a new cluster of one server, and says how far it came. */
export async function restore(asked: AskedRestore, context: Context): Promise<number> {
  const { name, folder, address, options } = asked;
  const { backups, into, postgres, user, backup } = options;
  if (backups === undefined || into === undefined)
    throw new UsageError("restore needs to know from where and to where", "add --backups DIR and --into DIR");
  const point = pointOf(options);
  const { terminal, clock, cwd } = context;
  const restored = await untilStopped(context, (signal) =>
    restoreDatabase({
      name,
      folder: resolve(cwd, into),
      passwordsOf: folder,
      address,
      backups: resolve(cwd, backups),
      point,
      signal,
      ...(backup === undefined ? {} : { backup }),
      ...(postgres === undefined ? {} : { postgres }),
      ...(user === undefined ? {} : { user }),
      log: createLog({ clock, level: "warn", write: (line) => terminal.err(line.trimEnd()) }),
    }),
  ).catch((problem: unknown) => {
    throw asFailure(problem);
  });
  const { timeline, lsn, lastCommit, hasNewPasswords } = restored;
  terminal.out(
    `restored backup ${restored.backup} as timeline ${timeline}, up to ${lsn}, ${lastCommit === null ? "with no commit after it" : `last commit ${lastCommit}`}`,
  );
  if (hasNewPasswords)
    terminal.out(
      `the old passwords are not in ${folder}: new ones of postgres and replication are in ${into}`,
    );
  terminal.out(`start it: tenfold db serve ${name} --folder ${into}`);
  return EXIT.ok;
}

function pointOf({ time, lsn, point }: BackupOptions): RestorePoint {
  const points: readonly (RestorePoint | undefined)[] = [
    time === undefined ? undefined : { kind: "time", at: time },
    lsn === undefined ? undefined : { kind: "lsn", at: lsn },
    point === undefined ? undefined : { kind: "name", at: point },
  ];
  const [first, second] = points.filter((one) => one !== undefined);
  if (second !== undefined)
    throw new UsageError("a restore goes to one point", "write one of --time, --lsn, --point");
  return first ?? { kind: "latest" };
}
