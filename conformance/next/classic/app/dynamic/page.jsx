import { headers } from "next/headers";
import { ask } from "../../../origin.mjs";

export default async function Page() {
  await headers();
  return <p>{await ask("/dynamic")}</p>;
}
