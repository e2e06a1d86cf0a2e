/** Powers of two, beside the powers of ten that they are near: what everybody who estimates should have at hand. */

/** A power of two and what it is near. */
export interface PowerOfTwo {
  readonly exponent: number;
  readonly value: number;
  /** In words: "1 million". */
  readonly near: string;
  readonly nearValue: number;
  /** What so many bytes are called, or so many values counted with. */
  readonly known: string;
}

/** The powers that people reckon with. */
export const POWERS_OF_TWO: readonly PowerOfTwo[] = [
  row(7, 100, "1 hundred", "ASCII characters"),
  row(8, 250, "250", "values of a byte"),
  row(10, 1e3, "1 thousand", "1 KiB"),
  row(16, 65e3, "65 thousand", "64 KiB; ports"),
  row(20, 1e6, "1 million", "1 MiB"),
  row(30, 1e9, "1 billion", "1 GiB"),
  row(32, 4e9, "4 billion", "4 GiB; IPv4 addresses"),
  row(40, 1e12, "1 trillion", "1 TiB"),
  row(50, 1e15, "1 quadrillion", "1 PiB"),
  row(53, 9e15, "9 quadrillion", "largest whole number that JavaScript counts to"),
  row(60, 1e18, "1 quintillion", "1 EiB"),
  row(64, 18e18, "18 quintillion", "values of a 64-bit id"),
];

function row(exponent: number, nearValue: number, near: string, known: string): PowerOfTwo {
  return { exponent, value: 2 ** exponent, near, nearValue, known };
}
