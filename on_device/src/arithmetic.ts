// Numbers as Python, numpy and OpenCV round them.

/** To the nearest integer, halves to the even one. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** To one decimal by the exact binary value, as Python's `round(value, 1)`; only quarters can be ties. */
export function roundToTenth(value: number): number {
  const isTie = Number.isInteger(4 * value) && !Number.isInteger(2 * value);
  return isTie ? roundHalfEven(10 * value) / 10 : Number(value.toFixed(1));
}

export function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Mean and variance of the whole population. */
export function moments(values: ArrayLike<number>): { mean: number; variance: number } {
  let total = 0;
  for (let index = 0; index < values.length; index++) total += values[index]!;
  const mean = total / values.length;
  let squares = 0;
  for (let index = 0; index < values.length; index++) squares += (values[index]! - mean) ** 2;
  return { mean, variance: squares / values.length };
}
