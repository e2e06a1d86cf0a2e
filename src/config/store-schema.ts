/** The schema of `stores`. */
import { report } from "./problem.ts";
import { leaf, object, type Shape } from "./shape.ts";
import {
  EMBEDDED_STORE,
  STORE_EVICTIONS,
  STORE_FSYNCS,
  STORE_USES,
  type StoreConfig,
  type StoreTls,
} from "./store.ts";
import { address, bytes, text, word } from "./values.ts";

const MEMORY_MAX = 1024 ** 4;

const EXPECTED = '"embedded:", or a URL such as "redis://host:6379" or "pg://user@host/database"';

/** One server, and perhaps its database; or a cluster: hosts with commas between, and no database. */
const ONE = /^(?:rediss?|valkeys?):\/\/[^\s/]+(?:\/\d*)?$/;
const CLUSTER = /^(?:rediss?|valkeys?)-cluster:\/\/(?:[^\s/]*@)?[^\s/@,]+(?:,[^\s/@,]+)*\/?$/;

const url = leaf(EXPECTED, "string", (value: string, place) => {
  if (value === EMBEDDED_STORE) return value;
  if (ONE.test(value) || CLUSTER.test(value)) return value;
  if (/^(?:pg|postgres(?:ql)?):\/\/[^\s/]*\/[^\s/?]+(?:\?\S*)?$/.test(value)) return value;
  // The value may hold a password, so it is not repeated.
  return report(place, "is no store's URL", `write ${EXPECTED}`);
});

/** Longest path. */
const PATH_MAX = 4096;
const HOST_MAX = 253;

const tls = object<StoreTls>({
  cert: text("a file", PATH_MAX),
  key: text("a file", PATH_MAX),
  host: text("a host name or IP address", HOST_MAX),
  ca: text("a file", PATH_MAX),
  clientCa: text("a file", PATH_MAX),
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
    tls,
  },
  { required: ["url"] },
);
