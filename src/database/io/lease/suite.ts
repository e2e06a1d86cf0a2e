/** What every lease store must do; run against each of them. */
import { describe, expect, test } from "bun:test";
import type { LeaseStore, StoreReply } from "../../failover/lease-store.ts";
import { type ClusterRecord, firstRecord } from "../../failover/record.ts";

/** How a test gets a store. */
export interface StoreUnderTest {
  readonly name: string;
  /** A new and empty place, and any number of clients of it. */
  readonly open: () => { readonly client: () => LeaseStore };
}

const FIRST = firstRecord("s1", 1, 7n, { names: ["s2"], votes: 1 });

function revisionOf(reply: StoreReply): number {
  if (reply.kind === "failed") throw new Error(`${reply.reason}: ${reply.message}`);
  return reply.stored.revision;
}

function recordOf(reply: StoreReply): ClusterRecord {
  if (reply.kind === "failed") throw new Error(`${reply.reason}: ${reply.message}`);
  return reply.stored.record;
}

/** Declares the tests. */
export function leaseStoreSuite({ name, open }: StoreUnderTest): void {
  describe(name, () => {
    test("is empty at first, and says so", async () => {
      const store = open().client();
      expect(await store.read()).toMatchObject({ kind: "failed", reason: "empty" });
      expect(await store.write(FIRST, 3)).toMatchObject({ kind: "failed", reason: "empty" });
    });

    test("gives back what was written, with a revision that grows", async () => {
      const store = open().client();
      const first = await store.write(FIRST, 0);
      expect(first.kind).toBe("stored");
      const second = await store.write({ ...FIRST, flushed: 8n }, revisionOf(first));
      expect(revisionOf(second)).toBeGreaterThan(revisionOf(first));
      expect(await store.read()).toEqual(second);
      expect(recordOf(await store.read())).toEqual({ ...FIRST, flushed: 8n });
    });

    test("refuses a write over another revision, and says what is there", async () => {
      const { client } = open();
      const [one, other] = [client(), client()];
      const revision = revisionOf(await one.write(FIRST, 0));
      expect(await other.write({ ...FIRST, term: 9 }, 0)).toMatchObject({
        kind: "conflict",
        stored: { revision },
      });
      await one.write({ ...FIRST, term: 2 }, revision);
      const late = await other.write({ ...FIRST, term: 9 }, revision);
      expect(late.kind).toBe("conflict");
      expect(recordOf(late).term).toBe(2);
    });

    test("lets one of many writers win each revision, and loses no winner", async () => {
      const { client } = open();
      const clients = Array.from({ length: 5 }, client);
      let last = await clients[0]?.write(FIRST, 0);
      for (let round = 0; round < 20; round += 1) {
        const revision = last === undefined ? 0 : revisionOf(last);
        const replies = await Promise.all(
          clients.map((store, index) => store.write({ ...FIRST, term: round * 10 + index }, revision)),
        );
        const winners = replies.filter(({ kind }) => kind === "stored");
        expect(winners.length).toBe(1);
        last = winners[0];
        expect(await clients[round % 5]?.read()).toEqual(last);
      }
    });

    test("shows each reader revisions that never go back", async () => {
      const { client } = open();
      const writer = client();
      let revision = revisionOf(await writer.write(FIRST, 0));
      const state = { isOver: false };
      const readers = Array.from({ length: 3 }, async () => {
        const reader = client();
        let seen = 0;
        while (!state.isOver) {
          const now = revisionOf(await reader.read());
          expect(now).toBeGreaterThanOrEqual(seen);
          seen = now;
        }
      });
      for (let write = 0; write < 60; write += 1)
        revision = revisionOf(await writer.write({ ...FIRST, flushed: BigInt(write) }, revision));
      state.isOver = true;
      await Promise.all(readers);
      expect(revisionOf(await client().read())).toBe(revision);
    });
  });
}
