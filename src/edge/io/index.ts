/** The rim of the edge cache: the store's file. */
export {
  isProcessAlive,
  mapStore,
  type OpenStoreOptions,
  observeStore,
  openStore,
  sealStore,
} from "./store-file.ts";
