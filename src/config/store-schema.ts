/** The schema of `stores`. */
import { report } from "./problem.ts";
import { leaf, object, type Shape } from "./shape.ts";
import { EMBEDDED_STORE, STORE_EVICTIONS, STORE_FSYNCS, STORE_USES, type StoreConfig } from "./store.ts";
import { address, bytes, word } from "./values.ts";

const MEMORY_MAX = 1024 ** 4;

const EXPECTED = '"embedded:", or a URL such as "redis://host:6379" or "pg://user@host/database"';

const url = leaf(EXPECTED, "string", (value: string, place) => {
  if (value === EMBEDDED_STORE) return value;
  if (/^(?:rediss?|valkeys?):\/\/[^\s/]+(?:\/\d*)?$/.test(value)) return value;
  if (/^(?:pg|postgres(?:ql)?):\/\/[^\s/]*\/[^\s/?]+(?:\?\S*)?$/.test(value)) return value;
  // The value may hold a password, so it is not repeated.
  return report(place, "is no store's URL", `write ${EXPECTED}`);
});

/** What a file says of one store. */
export type StoreDraft = Partial<Omit<StoreConfig, "name">>;

/** One entry of `stores`. */
export const store: Shape<StoreDraft> = object<StoreDraft>(
  {
    url,
    use: word(STORE_USES),
    address: address("127.0.0.1", 1),
    memoryBytes: bytes(0, MEMORY_MAX),
    eviction: word(STORE_EVICTIONS),
    fsync: word(STORE_FSYNCS),
  },
  { required: ["url"] },
);
