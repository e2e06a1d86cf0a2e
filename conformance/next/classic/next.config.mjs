// Pages with `revalidate`, fetches with tags.
export { shared as default } from "../shared.mjs";
