// As in docs/guide/nextjs.md.
import { nextCacheHandler, openNextCache } from "tenfold/next";

export default nextCacheHandler({
  backend: openNextCache(process.env.STORE),
  buildId: process.env.BUILD_ID,
  onError: (error) => console.error("cache:", error.message),
});
