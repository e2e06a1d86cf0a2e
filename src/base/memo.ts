/** Remembering what a pure function of a text gave, for texts that come again and again. */

/**
 * A function that gives the same as `make`, which it calls once per text as long as it remembers it. It remembers at
 * most `max` texts, then forgets all of them: whoever sends ever new ones makes it no slower than `make` and a bit.
 * What `make` returns is shared and must not be changed.
 */
export function memoized<T>(max: number, make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const made = make(text);
    if (known.size >= max) known.clear();
    known.set(text, made);
    return made;
  };
}
