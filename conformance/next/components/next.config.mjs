import { shared } from "../shared.mjs";

export default { ...shared, cacheComponents: true, partialPrefetching: true };
