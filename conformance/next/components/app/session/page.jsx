import { redirect } from "next/navigation";
import { Suspense } from "react";
import { readSession, withSession } from "../../session.js";

async function Who() {
  const session = await readSession();
  return <p>{`user=${session.user};visits=${session.get("visits")};`}</p>;
}

async function signIn() {
  "use server";
  await withSession(async (session) => {
    await session.signIn("ann");
    redirect("/session");
  });
}

async function visit() {
  "use server";
  await withSession((session) => session.increment("visits"));
}

async function fail() {
  "use server";
  await withSession((session) => {
    session.increment("visits");
    throw new Error("the app's own");
  });
}

export default function Page() {
  return (
    <main>
      <Suspense fallback="…">
        <Who />
      </Suspense>
      {[signIn, visit, fail].map((action, index) => (
        <form action={action} key={index}>
          <button type="submit">{index}</button>
        </form>
      ))}
    </main>
  );
}
