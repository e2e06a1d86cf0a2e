/** Systems for tests: read from text, drawn at random, and reckoned by counting every state. */
import type { Random } from "../../base/index.ts";
import { parseSystem } from "./expression.ts";
import { type Component, INDEPENDENT, mentionsOf, type System } from "./system.ts";

/** The system, or an error with all problems. */
export function system(text: string): System {
  const outcome = parseSystem(text);
  if (outcome.kind === "ok") return outcome.value;
  throw new Error(outcome.problems.map(({ path, what, mend }) => `${path}: ${what}; ${mend}`).join("\n"));
}

/** A tree with at most three children to a group; each name of `shared` may stand in several places. */
export function drawSystem(random: Random, depth: number, shared: readonly string[]): System {
  let names = 0;
  const below = (number: number): number => Math.floor(random() * number);
  const drawComponent = (): Component => {
    const name = random() < 0.3 ? shared[below(shared.length)] : undefined;
    const copies = name === undefined ? 1 + below(2) : 1;
    return {
      kind: "component",
      name: name ?? `p${names++}`,
      // A shared one fails equally often wherever it stands.
      unavailability: name === undefined ? random() * 0.5 : 0.1 + name.length / 20,
      needed: 1 + below(copies),
      copies,
      options: INDEPENDENT,
      shared: name !== undefined,
    };
  };
  const draw = (levels: number): System => {
    if (levels === 0 || random() < 0.3) return drawComponent();
    const children = Array.from({ length: 2 + below(2) }, () => draw(levels - 1));
    if (random() < 0.4) return { kind: "series", parts: children };
    const members = children.map((child) => ({ system: child, copies: 1 }));
    return { kind: "some", needed: 1 + below(members.length), members, options: INDEPENDENT };
  };
  return draw(depth);
}

/** Unavailability by adding up every state of every copy; undefined for more than `most` of them. */
export function countedUnavailability(of: System, most: number): number | undefined {
  const copies = new Map<string, number>();
  const numbered = mentionsOf(of).flatMap(({ component }) =>
    Array.from({ length: component.copies }, (_, copy): [string, number] => [
      `${component.name}#${copy}`,
      component.unavailability,
    ]),
  );
  for (const [key, unavailability] of numbered) copies.set(key, unavailability);
  if (copies.size > most) return undefined;
  const states = Array.from({ length: 2 ** copies.size }, (_, state) => stateOf(copies, state));
  return states.reduce((sum, { up, chance }) => sum + (isUp(of, up) ? 0 : chance), 0);
}

function stateOf(copies: ReadonlyMap<string, number>, state: number): { up: Set<string>; chance: number } {
  const up = new Set<string>();
  let chance = 1;
  for (const [bit, [key, unavailability]] of [...copies].entries()) {
    const isOn = ((state >> bit) & 1) === 1;
    if (isOn) up.add(key);
    chance *= isOn ? 1 - unavailability : unavailability;
  }
  return { up, chance };
}

function isUp(of: System, up: ReadonlySet<string>): boolean {
  switch (of.kind) {
    case "component": {
      const there = Array.from({ length: of.copies }, (_, copy) => up.has(`${of.name}#${copy}`));
      return there.filter(Boolean).length >= of.needed;
    }
    case "series":
      return of.parts.every((part) => isUp(part, up));
    case "some":
      return of.members.filter((member) => isUp(member.system, up)).length >= of.needed;
  }
}
