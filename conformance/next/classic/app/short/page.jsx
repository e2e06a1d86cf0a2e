import { ask } from "../../../origin.mjs";

export const revalidate = 1;

export default async function Page() {
  return <p>{await ask("/short")}</p>;
}
