// Loaded before an app (`node --import`): each look at a file takes as long as on a slow, shared disk.
//
// Times are log-normal with a mean of DISK_MS and a coefficient of variation of DISK_CV; the app itself is unchanged.
import { open } from "node:fs/promises";

const meanMs = Number(process.env.DISK_MS ?? 8);
const cv = Number(process.env.DISK_CV ?? 0.7);
const variance = Math.log(1 + cv * cv);
const location = Math.log(meanMs) - variance / 2;

const handle = await open(new URL(import.meta.url));
const prototype = Object.getPrototypeOf(handle);
await handle.close();

const stat = prototype.stat;
prototype.stat = async function slowStat(...args) {
  const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  await new Promise((resolve) => setTimeout(resolve, Math.exp(location + Math.sqrt(variance) * normal)));
  return stat.apply(this, args);
};
