// Plain measurements of a photo, and what a photo must score to be answered, as ml_models/gates.py.

import { moments, roundHalfEven } from "./arithmetic.js";
import type { Gate, GateRules, Modality, ReasonCode } from "./description.js";
import type { Photo } from "./preprocess.js";
import { areaTaps, resample } from "./resize.js";

/** Grey levels 0-255. */
interface Grey {
  readonly width: number;
  readonly height: number;
  readonly levels: Uint8Array;
}

export type Scores = Readonly<Record<string, number>>;

// A new score is one more line here.
const MEASURES: Readonly<Record<string, (grey: Grey, rules: GateRules) => number>> = {
  brightness: (grey) => moments(grey.levels).mean,
  contrast: (grey) => Math.sqrt(moments(grey.levels).variance),
  sharpness: (grey) => moments(laplacian(grey)).variance,
  unclipped: ({ levels }, rules) => levels.filter((level) => level < rules.clipped_from).length / levels.length,
  detail_px: ({ width, height }) => Math.min(width, height), // shrunk, so at most the measured side
};
export const PHOTO_SCORES: readonly string[] = Object.keys(MEASURES);

/** The scores of an upright photo's pixels, measured once it is shrunk to the measured side. */
export function measure(photo: Photo, rules: GateRules): Scores {
  const grey = shrunk(greyOf(photo), rules.measured_side_px);
  return Object.fromEntries(Object.entries(MEASURES).map(([name, score]) => [name, score(grey, rules)]));
}

/**
 * Reasons of the gates that the scores of a photo of that kind do not pass, each once, in the model's order; only those
 * of the first tier that has any. A photo whose kind is not certain has to pass the gates of every kind.
 */
export function failedGates(scores: Scores, gates: readonly Gate[], modality: Modality | null): ReasonCode[] {
  const asked = gates.filter((gate) => modality === null || gate.modality === null || gate.modality === modality);
  const failed = asked.filter((gate) => scores[gate.score]! < gate.minimum);
  const first = Math.min(...failed.map(({ tier }) => tier));
  return [...new Set(failed.filter(({ tier }) => tier === first).map(({ reason }) => reason))];
}

/** OpenCV's fixed-point luma, weights 0.299, 0.587 and 0.114 in 15 bits. */
function greyOf({ width, height, rgb }: Photo): Grey {
  const levels = new Uint8Array(width * height);
  for (let index = 0; index < levels.length; index++) {
    const [red, green, blue] = [rgb[3 * index]!, rgb[3 * index + 1]!, rgb[3 * index + 2]!];
    levels[index] = (9798 * red + 19235 * green + 3735 * blue + 16384) >> 15;
  }
  return { width, height, levels };
}

function shrunk(grey: Grey, sidePx: number): Grey {
  const factor = Math.min(1, sidePx / Math.min(grey.width, grey.height));
  if (factor === 1) return grey;
  const [width, height] = [roundHalfEven(grey.width * factor), roundHalfEven(grey.height * factor)];
  const scale = 1 / factor; // not source / target, which differ once the size is rounded
  const rows = areaTaps(grey.height, height, scale);
  const columns = areaTaps(grey.width, width, scale);
  const exact = resample({ pixels: grey.levels, width: grey.width, channels: 1, top: 0, left: 0 }, rows, columns);
  // Averages of 2 x 2 pixels have a path of their own in OpenCV, which rounds halves up.
  const round = scale === 2 ? (value: number) => Math.floor(value + 0.5) : roundHalfEven;
  return { width, height, levels: Uint8Array.from(exact, round) };
}

/** The four neighbours less four times the pixel; at the edge the image is mirrored without its outermost line. */
function laplacian({ width, height, levels }: Grey): Float32Array {
  const at = (x: number, y: number) => levels[mirrored(y, height) * width + mirrored(x, width)]!;
  const result = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      result[y * width + x] = at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4 * at(x, y);
    }
  }
  return result;
}

function mirrored(index: number, length: number): number {
  if (length === 1) return 0;
  if (index < 0) return -index;
  return index < length ? index : 2 * length - 2 - index;
}
