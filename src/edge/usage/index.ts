/** What stored responses are used for. */
export { OTHERS, type StoredUrl } from "./groups.ts";
export {
  type CacheUsage,
  type FolderUse,
  type NamedUse,
  type RuleOf,
  UsageTally,
  type Use,
} from "./usage.ts";
