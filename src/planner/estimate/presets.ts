/**
 * Workloads to begin from. Round assumptions, not measurements of anybody; each is printed with its answer, and each can
 * be replaced.
 */
import { type Action, DEFAULTS, type Workload } from "./workload.ts";

const KB = 1e3;
const MB = 1e6;

/** By its name. A new preset is one row. */
export const PRESETS: Readonly<Record<string, Workload>> = {
  /** Ten posts and a thousand reads a user; every timeline is another one, so a CDN has the photos only. */
  twitter: {
    ...DEFAULTS,
    name: "twitter",
    users: 100e6,
    actions: [
      write("posts", 10, { storedBytes: 500, attachment: { share: 0.1, bytes: 2 * MB }, cpuMs: 5 }),
      {
        ...read("timelines", 100, {
          answerBytes: 500,
          attachment: { share: 0.1, bytes: 2 * MB },
          cdnShare: 0,
        }),
        per: "write",
      },
    ],
    cpuMs: 1,
    coresPerServer: 16,
    cdnShare: 0.9,
  },
  /** One post of a hundred users, ten views of each; the news of the hour is read five times as much as the mean. */
  blog: {
    ...DEFAULTS,
    name: "blog",
    users: 10e6,
    actions: [
      write("posts", 0.01, { storedBytes: 5 * KB, attachment: { share: 1, bytes: 0.5 * MB } }),
      read("views", 10, { answerBytes: 100 * KB }),
    ],
    cpuMs: 4,
    peak: 5,
    copies: 2,
    cdnShare: 0.9,
  },
  /** A redirect must be counted, so no CDN answers it. */
  "short-links": {
    ...DEFAULTS,
    name: "short-links",
    users: 10e6,
    actions: [
      write("links", 0.1, { storedBytes: 500, answerBytes: 200 }),
      read("redirects", 10, { answerBytes: 300 }),
    ],
    cpuMs: 1,
  },
  /** Forty messages a user, each to three people; nothing of it can be cached for others. */
  chat: {
    ...DEFAULTS,
    name: "chat",
    users: 50e6,
    actions: [
      write("messages", 40, { storedBytes: 200, answerBytes: 100 }),
      { ...read("deliveries", 3, { answerBytes: 200 }), per: "write" },
    ],
    cpuMs: 1,
    coresPerServer: 8,
    peak: 3,
  },
  /** Half a photo and a hundred views a user; what is viewed is a smaller copy. */
  photos: {
    ...DEFAULTS,
    name: "photos",
    users: 20e6,
    actions: [
      write("uploads", 0.5, { storedBytes: 1 * KB, attachment: { share: 1, bytes: 2 * MB }, cpuMs: 200 }),
      read("views", 100, { answerBytes: 1 * KB, attachment: { share: 1, bytes: 0.2 * MB }, cdnShare: 0 }),
    ],
    cpuMs: 2,
    coresPerServer: 8,
    cdnShare: 0.95,
  },
};

function write(name: string, times: number, own: Partial<Action>): Action {
  return { name, kind: "write", times, per: "user", storedBytes: 0, answerBytes: 0, ...own };
}

function read(name: string, times: number, own: Partial<Action>): Action {
  return { name, kind: "read", times, per: "user", storedBytes: 0, answerBytes: 0, ...own };
}
