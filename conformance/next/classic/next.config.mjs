export { shared as default } from "../shared.mjs";
