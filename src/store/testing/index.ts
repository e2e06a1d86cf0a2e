/** For tests of the store: one without sockets, and random commands. */
export { TestClient, testStore } from "./client.ts";
export { type Drawn, drawCommand, type Order } from "./random-commands.ts";
