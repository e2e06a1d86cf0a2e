/** The vocabulary of shapes for other files that people write, such as a plan: the same rules, the same words. */
export { below, bounded, type Place, report } from "./problem.ts";
export { bySort, leaf, list, mapped, named, object, type Rows, type Shape, sortOf } from "./shape.ts";
export { bytes, duration, flag, integer, name, number, word } from "./values.ts";
