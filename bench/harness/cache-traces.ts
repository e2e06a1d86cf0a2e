/**
 * Made requests as a cache at the edge sees them: which object each asks for, and how large the objects are.
 *
 * Every trace is made from a seed by a few lines that say what it is like: popularity after Zipf that shifts with
 * time, objects asked for once, crawlers that go through everything, news that age, films played in pieces.
 */
import { type Random, seededRandom } from "../../src/base/index.ts";

/** Requests in order, by number of object, and the bytes of each object. */
export interface Trace {
  readonly name: string;
  /** Whether it is like the web's traffic, for which promises are made. */
  readonly isWeb: boolean;
  readonly requests: Uint32Array;
  readonly sizes: Uint32Array;
}

/** Objects that a trace draws from; one-hit wonders come on top. */
const OBJECTS = 40_000;
const MEDIAN_BYTES = 8192;
/** Spread of the log-normal sizes: the mean is 2.3 times the median. */
const SIGMA = 1.3;
const BYTES_MAX = 1 << 20;

type Draw = () => number;
type Maker = (random: Random, requests: number) => Draw;

/** Ranks after Zipf: rank r with a chance in proportion to 1 / (r + 1)^alpha. */
function zipf(random: Random, alpha: number, count: number): Draw {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank++) {
    sum += (rank + 1) ** -alpha;
    sums[rank] = sum;
  }
  return () => {
    const wanted = random() * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Zipf whose popular objects are replaced by others, a few at a time: `lives` times in the whole trace. */
function shifting(alpha: number, lives: number): Maker {
  return (random, requests) => {
    const rank = zipf(random, alpha, OBJECTS);
    const objects = Uint32Array.from({ length: OBJECTS }, (_, index) => index);
    const perSwap = lives === 0 ? Number.POSITIVE_INFINITY : requests / (lives * 200);
    let untilSwap = perSwap;
    return () => {
      for (untilSwap--; untilSwap < 0; untilSwap += perSwap) {
        // One of the 200 most popular changes places with anything.
        const a = Math.floor(random() * 200);
        const b = Math.floor(random() * OBJECTS);
        const other = objects[b] ?? 0;
        objects[b] = objects[a] ?? 0;
        objects[a] = other;
      }
      return objects[rank()] ?? 0;
    };
  };
}

/** A share of requests goes to objects that nobody asks for again. */
function withOneHitWonders(share: number, base: Maker): Maker {
  return (random, requests) => {
    const draw = base(random, requests);
    let next = OBJECTS;
    return () => (random() < share ? next++ : draw());
  };
}

/** Now and then a crawler asks for `length` objects in a row, in between other requests. */
function withCrawler(share: number, length: number, base: Maker): Maker {
  return (random, requests) => {
    const draw = base(random, requests);
    let at = 0;
    let left = 0;
    let idle = 0;
    return () => {
      if (left === 0 && idle-- <= 0) {
        left = length;
        at = Math.floor(random() * OBJECTS);
        idle = (length * 2 * (1 - share)) / share;
      }
      if (left === 0 || random() < 0.5) return draw();
      left--;
      return at++ % OBJECTS;
    };
  };
}

/** New objects appear all the time and are asked for less the older they are. */
function ageing(perRequests: number, halfLife: number): Maker {
  return (random) => {
    let newest = 2000;
    let until = perRequests;
    return () => {
      if (--until <= 0) {
        newest = (newest + 1) % OBJECTS;
        until = perRequests;
      }
      const age = Math.floor((-Math.log(1 - random()) * halfLife) / Math.LN2);
      return (newest - (age % OBJECTS) + OBJECTS) % OBJECTS;
    };
  };
}

/** Films in pieces: popular ones more often, from the start, some to the end; `viewers` at the same time. */
function films(viewers: number, pieces: number): Maker {
  return (random) => {
    const count = Math.floor(OBJECTS / pieces);
    const film = zipf(random, 0.9, count);
    const playing = Array.from({ length: viewers }, () => ({ film: film(), piece: 0 }));
    return () => {
      const viewer = playing[Math.floor(random() * viewers)] ?? { film: 0, piece: 0 };
      const object = viewer.film * pieces + viewer.piece++;
      if (viewer.piece === pieces || random() < 0.03) {
        viewer.film = film();
        viewer.piece = 0;
      }
      return object;
    };
  };
}

const loop: Maker = () => {
  let at = 0;
  return () => at++ % (OBJECTS / 2);
};

const WEB: Readonly<Record<string, Maker>> = {
  "zipf 0.7": shifting(0.7, 0),
  "zipf 0.8, shifting": shifting(0.8, 2),
  "zipf 0.9": shifting(0.9, 0),
  "zipf 1.0, shifting": shifting(1, 4),
  "zipf 1.1, shifting fast": shifting(1.1, 20),
  "one-hit wonders": withOneHitWonders(0.4, shifting(0.9, 2)),
  crawler: withCrawler(0.2, 8000, shifting(0.9, 2)),
  news: ageing(8, 1000),
  "news and archive": withOneHitWonders(0.1, mixed(0.5, ageing(8, 1000), shifting(0.8, 0))),
  films: films(200, 40),
};
const OTHER: Readonly<Record<string, Maker>> = {
  loop,
  "loop and zipf": mixed(0.3, loop, shifting(0.9, 0)),
};

function mixed(share: number, one: Maker, other: Maker): Maker {
  return (random, requests) => {
    const first = one(random, requests);
    const second = other(random, requests);
    return () => (random() < share ? first() : second());
  };
}

/** All traces, each of `count` requests, one after the other. */
export function* traces(count: number, seed: number): IterableIterator<Trace> {
  for (const [name, generator] of Object.entries({ ...WEB, ...OTHER })) {
    const random = seededRandom(seed);
    const draw = generator(random, count);
    const requests = Uint32Array.from({ length: count }, draw);
    yield { name, isWeb: name in WEB, requests, sizes: sizesOf(requests, random) };
  }
}

function sizesOf(requests: Uint32Array, random: Random): Uint32Array {
  const objects = requests.reduce((most, object) => Math.max(most, object), 0) + 1;
  return Uint32Array.from({ length: objects }, () => {
    // Box and Muller.
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.min(BYTES_MAX, Math.max(64, Math.round(MEDIAN_BYTES * Math.exp(SIGMA * normal))));
  });
}

/** Bytes of all objects that a trace asks for. */
export function footprintBytes({ requests, sizes }: Trace): number {
  let bytes = 0;
  for (const object of new Set(requests)) bytes += sizes[object] ?? 0;
  return bytes;
}
