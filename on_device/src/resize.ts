// OpenCV's resizing (modules/imgproc/src/resize.cpp) of interleaved pixels: INTER_AREA and INTER_LINEAR, separably.

/** What one output pixel is made of along one axis: source indices from `first` on, one weight each. */
export interface Taps {
  readonly first: number;
  readonly weights: Float32Array;
}

/** A part of an image of `width` pixels a row and `channels` values a pixel. */
export interface Window {
  readonly pixels: ArrayLike<number>;
  readonly width: number;
  readonly channels: number;
  readonly top: number;
  readonly left: number;
}

const NEGLIGIBLE = 1e-3; // of a source pixel, as in OpenCV

/** Area averaging from `source` to `target` pixels; `scale` is source pixels per target pixel, at least 1. */
export function areaTaps(source: number, target: number, scale: number = source / target): Taps[] {
  return Array.from({ length: target }, (_, index) => {
    const begin = index * scale;
    const end = begin + scale;
    const width = Math.min(scale, source - begin);
    const lastWhole = Math.min(Math.floor(end), source - 1);
    const firstWhole = Math.min(Math.ceil(begin), lastWhole);
    const before = firstWhole - begin > NEGLIGIBLE ? [(firstWhole - begin) / width] : [];
    const whole = new Array<number>(lastWhole - firstWhole).fill(1 / width);
    const after = end - lastWhole > NEGLIGIBLE ? [Math.min(end - lastWhole, 1, width) / width] : [];
    return { first: firstWhole - before.length, weights: Float32Array.from([...before, ...whole, ...after]) };
  });
}

/** Bilinear interpolation between pixel centres; beyond the outermost ones their value. */
export function linearTaps(source: number, target: number): Taps[] {
  return Array.from({ length: target }, (_, index) => {
    const centre = Math.fround((index + 0.5) * (source / target) - 0.5);
    const first = Math.floor(centre);
    if (first < 0) return { first: 0, weights: Float32Array.of(1) };
    if (first >= source - 1) return { first: source - 1, weights: Float32Array.of(1) };
    return { first, weights: Float32Array.of(1 - (centre - first), centre - first) };
  });
}

/** Float32 [rows, columns, channels] of the window. */
export function resample(window: Window, rows: readonly Taps[], columns: readonly Taps[]): Float32Array {
  const { channels } = window;
  const length = columns.length * channels;
  const narrowed = new Map<number, Float32Array>(); // source rows at their new width, kept while they are needed
  const result = new Float32Array(rows.length * length);
  rows.forEach(({ first, weights }, row) => {
    for (const index of narrowed.keys()) if (index < first) narrowed.delete(index);
    const sums = new Float64Array(length);
    weights.forEach((weight, offset) => {
      const index = first + offset;
      const line = narrowed.get(index) ?? narrow(window, index, columns);
      narrowed.set(index, line);
      for (let place = 0; place < length; place++) sums[place]! += weight * line[place]!;
    });
    result.set(sums, row * length);
  });
  return result;
}

function narrow({ pixels, width, channels, top, left }: Window, row: number, columns: readonly Taps[]): Float32Array {
  const line = new Float32Array(columns.length * channels);
  const start = (top + row) * width + left;
  columns.forEach(({ first, weights }, column) => {
    for (let channel = 0; channel < channels; channel++) {
      let value = 0;
      for (let offset = 0; offset < weights.length; offset++) {
        value += weights[offset]! * pixels[(start + first + offset) * channels + channel]!;
      }
      line[column * channels + channel] = value;
    }
  });
  return line;
}
