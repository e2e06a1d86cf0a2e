/**
 * Tails and quantiles of the answers of M/M/c/K, exactly.
 *
 * Who is let in behind k others that must leave first waits for k departures at the rate of all servers, then is served
 * at the rate of one. Watched at the jumps of a Poisson process of the rate of all servers (uniformisation, Jensen 1953),
 * he is still there after j <= k of them, and after each later one with the chance 1 - 1/c. So the tail is a mean of
 *
 *   there(j) = sum of w(k) for k >= j, + sum of w(k) (1 - 1/c)^(j-k) for k < j
 *
 * with Poisson weights, in which nothing is subtracted.
 */
import { bisect } from "./bisect.ts";
import type { MmckInput } from "./mmck.ts";

/** Poisson weights below this share of the greatest are left out: they are lost in the sum of any tail that is asked for. */
const NEGLIGIBLE = 1e-20;

/** Time that the share `q` of the answers to those let in does not exceed, ms. O(capacity). */
export function boundedQuantile(input: MmckInput, q: number): number {
  const tail = boundedTail(input);
  return bisect((ms) => tail(ms) <= 1 - q, input.serviceMs);
}

/** Share of those let in whose answer takes longer than `ms`, as a function of it. O(capacity) once. */
export function boundedTail(input: MmckInput): (ms: number) => number {
  const { serviceMs, servers } = input;
  const there = stillThere(input);
  const last = there.length - 1;
  const stay = 1 - 1 / servers;
  const thereAfter = (jumps: number): number =>
    jumps <= last ? (there[jumps] ?? 0) : (there[last] ?? 0) * stay ** (jumps - last);
  return (ms) => poissonMean((ms * servers) / serviceMs, thereAfter);
}

/** there(j) up to one beyond the room to wait, from where on it is geometric. */
function stillThere({ servers, capacity, ...work }: MmckInput): Float64Array {
  const states = stateWeights({ servers, capacity, ...work });
  const room = capacity - servers;
  // States below `servers` are served at once: k = 0. State n >= servers is behind n - servers + 1.
  const behind = new Float64Array(room + 1);
  for (let n = 0; n < capacity; n++) {
    const k = Math.max(0, n - servers + 1);
    behind[k] = (behind[k] ?? 0) + (states[n] ?? 0);
  }
  const there = new Float64Array(room + 2);
  for (let k = room; k >= 0; k--) there[k] = (there[k + 1] ?? 0) + (behind[k] ?? 0);
  const all = there[0] ?? 1;
  const stay = 1 - 1 / servers;
  let served = 0;
  for (let j = 0; j <= room + 1; j++) {
    if (j > 0) served = (served + (behind[j - 1] ?? 0)) * stay;
    there[j] = ((there[j] ?? 0) + served) / all;
  }
  return there;
}

/** Weights of 0 .. capacity - 1 in the system, from the likeliest outwards so that none overflows. */
function stateWeights({ rateRps, serviceMs, servers, capacity }: MmckInput): Float64Array {
  const load = (rateRps * serviceMs) / 1000;
  const weights = new Float64Array(capacity);
  const likeliest = load < servers ? Math.min(Math.floor(load), capacity - 1) : capacity - 1;
  weights[likeliest] = 1;
  for (let n = likeliest + 1; n < capacity; n++)
    weights[n] = ((weights[n - 1] ?? 0) * load) / Math.min(n, servers);
  for (let n = likeliest - 1; n >= 0; n--)
    weights[n] = ((weights[n + 1] ?? 0) * Math.min(n + 1, servers)) / load;
  return weights;
}

/** Mean of a function of a Poisson number, summed outwards from the likeliest. */
function poissonMean(mean: number, of: (n: number) => number): number {
  const likeliest = Math.floor(mean);
  let [sum, weights] = [of(likeliest), 1];
  for (let n = likeliest + 1, weight = 1; weight > NEGLIGIBLE; n++) {
    weight *= mean / n;
    sum += weight * of(n);
    weights += weight;
  }
  for (let n = likeliest, weight = 1; n > 0 && weight > NEGLIGIBLE; n--) {
    weight *= n / mean;
    sum += weight * of(n - 1);
    weights += weight;
  }
  return sum / weights;
}
