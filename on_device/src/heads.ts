// The network's own answers about the photo, as ml_models/heads.py: what kind it is, and where the lesion lies.

import { sum } from "./arithmetic.js";
import { softmax } from "./calibration.js";
import type { HeadRules, Modality, OutputNames } from "./description.js";
import type { Scores } from "./gates.js";

/** The network's outputs by their names in the file, each without its batch: [classes], [kinds], [grid, grid, 1]. */
export type Outputs = Readonly<Record<string, ArrayLike<number>>>;

/** Scores for the gates, and the likelier modality; none of a network without heads. */
export interface Heads {
  readonly scores: Scores;
  readonly likelier: Modality | null;
}

export const NETWORK_SCORES: readonly string[] = [
  "lesion_photo",
  "lesion_share",
  "lesion_inside",
  "modality_certainty",
];
const NO_HEADS: Heads = { scores: {}, likelier: null };

/** Throws where the description names an output that the network does not give, or a value is not finite. */
export function readHeads(outputs: Outputs, names: OutputNames, { kind_order: kindOrder }: HeadRules): Heads {
  if (names.kinds === undefined || names.coverage === undefined) return NO_HEADS;
  const kinds = softmax(Array.from(outputOf(outputs, names.kinds)));
  const shareOf = (kind: Modality | null) => kinds[kindOrder.indexOf(kind)]!;
  const modalities = kindOrder.filter((kind) => kind !== null);
  const likelier = modalities.reduce((best, each) => (shareOf(each) > shareOf(best) ? each : best));
  const known = sum(modalities.map(shareOf));
  const scores = {
    lesion_photo: 1 - shareOf(null),
    ...lesionScores(outputOf(outputs, names.coverage)),
    modality_certainty: known > 0 ? shareOf(likelier) / known : 0,
  };
  if (kinds.length !== kindOrder.length || !Object.values(scores).every(Number.isFinite)) {
    throw new Error("The model returned no usable value about the photo. Download its file again.");
  }
  return { scores, likelier };
}

/** The likelier modality where it is as likely as needed. */
export function modalityOf({ scores, likelier }: Heads, rules: HeadRules): Modality | null {
  return likelier !== null && scores.modality_certainty! >= rules.modality_certainty ? likelier : null;
}

/** The named output; throws where the network did not give it. */
export function outputOf(outputs: Outputs, name: string): ArrayLike<number> {
  const output = outputs[name];
  if (output === undefined) throw new Error(`The network gave no output ${name}. Ask for it by its name.`);
  return output;
}

/** Of the frame, the share that the lesion covers; and one less that of the side where it covers most. */
function lesionScores(output: ArrayLike<number>): Scores {
  const coverage = Array.from(output, (share) => Math.min(1, Math.max(0, share)));
  const grid = Math.sqrt(coverage.length);
  const along = (first: number, step: number) =>
    sum(Array.from({ length: grid }, (_, index) => coverage[first + step * index]!)) / grid;
  const last = coverage.length - grid;
  const sides = [along(0, 1), along(last, 1), along(0, grid), along(grid - 1, grid)];
  return { lesion_share: sum(coverage) / coverage.length, lesion_inside: 1 - Math.max(...sides) };
}
