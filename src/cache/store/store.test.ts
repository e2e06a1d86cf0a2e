import { simulatedTime } from "../../base/index.ts";
import { MemoryStore } from "./memory-store.ts";
import { storeSuite } from "./suite.ts";

storeSuite("memory://", async () => {
  const time = simulatedTime();
  const memory = new MemoryStore(time.clock);
  return {
    open: async () => memory.view(),
    pass: async (ms) => time.advance(ms),
    settle: async () => {},
    stop: async () => {},
  };
});
