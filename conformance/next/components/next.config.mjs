// Cache Components: "use cache", and pages of which a part is prerendered.
import { shared } from "../shared.mjs";

export default { ...shared, cacheComponents: true, partialPrefetching: true };
