/** What both sides of the comparison can do, and the stories that are told to both. */

/** What a look at a key found. */
export interface Look {
  readonly kind: "hit" | "won" | "wait";
  /** Of who won; for `fill`. */
  readonly token: string;
  /** The value, fresh or stale. */
  readonly kept: string | undefined;
}

/** A cache with leases. */
export interface Leases {
  look(key: string, leaseSeconds: number): Promise<Look>;
  fill(key: string, token: string, value: string): Promise<boolean>;
  remove(key: string): Promise<void>;
  /** Invalidates, and keeps the value as stale. */
  soften(key: string): Promise<void>;
}

/** One story: what was seen, in order. */
export type Story = (leases: Leases, key: string) => Promise<unknown[]>;

const LEASE_S = 30;
const seen = ({ kind, kept }: Look): string => (kept === undefined ? kind : `${kind} ${kept}`);

/** Stories by name. What is `true` in the end is a fill that was taken. */
export const STORIES: Readonly<Record<string, Story>> = {
  "two miss: one wins and fills, the other waits": async (leases, key) => {
    const [one, other] = [await leases.look(key, LEASE_S), await leases.look(key, LEASE_S)];
    const filled = await leases.fill(key, one.token, "v");
    return [seen(one), seen(other), filled, seen(await leases.look(key, LEASE_S))];
  },
  "invalidated while it is loaded": async (leases, key) => {
    const { token } = await leases.look(key, LEASE_S);
    await leases.remove(key);
    return [await leases.fill(key, token, "old"), seen(await leases.look(key, LEASE_S))];
  },
  "invalidated while it is loaded, and another loads": async (leases, key) => {
    const first = await leases.look(key, LEASE_S);
    await leases.remove(key);
    const second = await leases.look(key, LEASE_S);
    const late = await leases.fill(key, first.token, "old");
    return [
      seen(second),
      late,
      await leases.fill(key, second.token, "new"),
      seen(await leases.look(key, LEASE_S)),
    ];
  },
  "the late one after the other": async (leases, key) => {
    const first = await leases.look(key, LEASE_S);
    await leases.remove(key);
    const second = await leases.look(key, LEASE_S);
    const filled = await leases.fill(key, second.token, "new");
    return [filled, await leases.fill(key, first.token, "old"), seen(await leases.look(key, LEASE_S))];
  },
  "softly invalidated: one loads, both see the stale value": async (leases, key) => {
    const { token } = await leases.look(key, LEASE_S);
    await leases.fill(key, token, "v");
    await leases.soften(key);
    const [one, other] = [await leases.look(key, LEASE_S), await leases.look(key, LEASE_S)];
    return [
      seen(one),
      seen(other),
      await leases.fill(key, one.token, "new"),
      seen(await leases.look(key, LEASE_S)),
    ];
  },
  "softly invalidated again while it is loaded": async (leases, key) => {
    const { token } = await leases.look(key, LEASE_S);
    await leases.fill(key, token, "v");
    await leases.soften(key);
    const one = await leases.look(key, LEASE_S);
    await leases.soften(key);
    return [await leases.fill(key, one.token, "old"), seen(await leases.look(key, LEASE_S))];
  },
  "a lease ends, another loads, the first comes late": async (leases, key) => {
    const first = await leases.look(key, 1);
    await Bun.sleep(2200);
    const second = await leases.look(key, LEASE_S);
    const late = await leases.fill(key, first.token, "old");
    return [seen(second), late, await leases.fill(key, second.token, "new")];
  },
  "a lease ends and nobody asks": async (leases, key) => {
    const { token } = await leases.look(key, 1);
    await Bun.sleep(2200);
    return [await leases.fill(key, token, "old")];
  },
  "a fill with the token of another": async (leases, key) => {
    const { token } = await leases.look(`${key}-other`, LEASE_S);
    await leases.look(key, LEASE_S);
    return [await leases.fill(key, token, "v")];
  },
  "a second fill with the same token": async (leases, key) => {
    const { token } = await leases.look(key, LEASE_S);
    return [await leases.fill(key, token, "v"), await leases.fill(key, token, "w")];
  },
};
