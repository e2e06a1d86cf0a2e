import { expect, test } from "bun:test";
import { type Listed, Recordings } from "./recordings.ts";

interface Fetch extends Listed<Fetch> {
  readonly name: string;
}

const fetchOf = (name: string, hashHi: number, hashLo: number): Fetch => ({
  name,
  order: { key: { hashHi, hashLo } },
  next: undefined,
});

/** Keys of one row. */
const A = { hashHi: 1, hashLo: 7 };
const B = { hashHi: 2, hashLo: 7 };
const C = { hashHi: 1, hashLo: 7 + 1024 };

test("recordings of one row are told apart by both hashes", () => {
  const table = new Recordings<Fetch>();
  for (const [name, { hashHi, hashLo }] of Object.entries({ A, B, C }))
    table.add(fetchOf(name, hashHi, hashLo));
  expect([A, B, C].map((key) => table.get(key)?.name)).toEqual(["A", "B", "C"]);
  expect(table.get({ hashHi: 3, hashLo: 7 })).toBeUndefined();
});

test("a recording leaves its row from any place, and the others stay", () => {
  for (const leaving of [0, 1, 2]) {
    const table = new Recordings<Fetch>();
    const all = [A, B, C].map(({ hashHi, hashLo }, at) => fetchOf(String(at), hashHi, hashLo));
    for (const each of all) table.add(each);
    expect(table.delete(all[leaving]!)).toBe(true);
    expect(all[leaving]!.next).toBeUndefined();
    expect([A, B, C].map((key) => table.get(key))).toEqual(
      all.map((each, at) => (at === leaving ? undefined : each)),
    );
  }
});

test("a recording takes the place of an older one of its key, which is not there any more when it ends", () => {
  const table = new Recordings<Fetch>();
  const older = fetchOf("older", A.hashHi, A.hashLo);
  const newer = fetchOf("newer", A.hashHi, A.hashLo);
  table.add(older);
  table.add(newer);
  expect(table.delete(older)).toBe(false);
  expect(table.get(A)).toBe(newer);
});
