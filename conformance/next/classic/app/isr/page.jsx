import { ask } from "../../../origin.mjs";

export const revalidate = 3600;

export default async function Page() {
  return <p>{await ask("/isr")}</p>;
}
