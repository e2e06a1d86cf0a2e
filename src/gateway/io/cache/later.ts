/** Coming back to a request from outside its turn: it may have ended, and its object may serve another one. */
import type { Request } from "../request.ts";

/** `work` as a callback: not called when `request` is over by then; what it throws is that request's failure alone. */
export function laterFor<T>(request: Request, work: (value: T) => void): (value: T) => void {
  const { number, down } = request;
  return (value) => {
    if (request.number !== number || request.down !== down) return;
    try {
      work(value);
    } catch (error) {
      down?.crashed(error);
    }
  };
}
