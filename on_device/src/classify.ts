// The whole way from pixels to an answer, as ml_models/classifier.py: gates, preprocess, run, calibrate, decide.

import { probabilitiesOf } from "./calibration.js";
import { type Decision, decide, reject } from "./decision.js";
import { checkUnderstood, type Description, type Modality } from "./description.js";
import { failedGates, measure, SCORES, type Scores } from "./gates.js";
import { factsOf, type PatientWords } from "./patient.js";
import { checkPhoto, type Photo, preprocess } from "./preprocess.js";

/** Runs the LiteRT file: float32 [1, size, size, 3] to its output `logits`, found by name. */
export type Network = (input: Float32Array, sizePx: number) => Promise<ArrayLike<number>>;

/** What is known besides the pixels. `modality` is what a gate found the photo to be, never what somebody says. */
export interface Circumstances {
  readonly patient?: PatientWords;
  readonly modality?: Modality;
}

/** `probabilities` by class code, null when rejected. */
export interface Classification {
  readonly decision: Decision;
  readonly probabilities: Readonly<Record<string, number>> | null;
  readonly gateScores: Scores;
}

/** Answer one upright sRGB photo. Throws where the description is newer than this code, or the network fails. */
export async function classify(
  photo: Photo,
  description: Description,
  network: Network,
  { patient = {}, modality }: Circumstances = {},
): Promise<Classification> {
  checkUnderstood(description, SCORES);
  checkPhoto(photo);
  const known = modality ?? null;
  const gateScores = measure(photo, description.gates.measured_side_px);
  const rejections = failedGates(gateScores, description.gates.rules);
  if (rejections.length > 0) {
    return { decision: reject(rejections, description, known), probabilities: null, gateScores };
  }
  const logits = await network(preprocess(photo, description.input), description.input.size_px);
  const values = probabilitiesOf(logits, description, factsOf(patient, description.patient), known);
  const byCode = description.labels.map((label, index) => [label.code, values[index]!] as const);
  return { decision: decide(values, description, known), probabilities: Object.fromEntries(byCode), gateScores };
}
