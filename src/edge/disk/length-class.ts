/**
 * Lengths in eight bits: four of exponent and four of mantissa, rounded up, so that a read of a class's length holds
 * the whole record and at most a sixteenth more.
 */

const MANTISSA_BITS = 4;
const MANTISSA = 1 << MANTISSA_BITS;

/** The class of a length in units, 1 at least. Up to 2^19 units are told apart, half of the largest segment. */
export function classOf(units: number): number {
  let exponent = 0;
  let mantissa = units;
  while (mantissa >= MANTISSA * 2) {
    mantissa = Math.ceil(mantissa / 2);
    exponent++;
  }
  return mantissa < MANTISSA ? mantissa : (exponent + 1) * MANTISSA + (mantissa - MANTISSA);
}

/** Units that a record of this class has at most. */
export function classUnits(lengthClass: number): number {
  const exponent = lengthClass >> MANTISSA_BITS;
  const mantissa = lengthClass & (MANTISSA - 1);
  return exponent === 0 ? mantissa : (MANTISSA + mantissa) * 2 ** (exponent - 1);
}
