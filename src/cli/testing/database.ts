/** Queries to a database of `tenfold db`, with the password of its folder. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PgConnection, type PgRow } from "../../pgwire/io/index.ts";

/** A function that runs one statement at a port. */
export function connectDatabase(folder: string): (port: number, sql: string) => Promise<readonly PgRow[]> {
  return async (port, sql) => {
    const { superuser } = JSON.parse(readFileSync(join(folder, "cluster.json"), "utf8")) as {
      superuser: string;
    };
    const connection = await PgConnection.connect({
      host: "127.0.0.1",
      port,
      user: "postgres",
      password: superuser,
    });
    try {
      return await connection.rows(sql);
    } finally {
      connection.close();
    }
  };
}
