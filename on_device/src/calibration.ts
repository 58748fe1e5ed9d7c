// Logits to calibrated ones and to probabilities, as ml_models/calibration.py and ModelDocument.scores.

import { sum } from "./arithmetic.js";
import type { Calibration, Description, Modality } from "./description.js";
import { offsets, type PatientFacts } from "./patient.js";

/** Logits in the order of the labels, scaled for the modality, with what is known of the person added. */
export function calibratedLogits(
  logits: ArrayLike<number>,
  { labels, calibrations, patient }: Description,
  facts: PatientFacts,
  modality: Modality | null,
): number[] {
  if (logits.length !== labels.length) {
    throw new Error(`The model answers ${logits.length} classes for ${labels.length} labels. Download its file again.`);
  }
  const { temperature, bias } = calibrationFor(calibrations, modality);
  const codes = labels.map((label) => label.code);
  const added = offsets(facts, codes, patient);
  return codes.map((code, index) => logits[index]! / temperature + (bias[code] ?? 0) + added[index]!);
}

/** The modality's own; for an unknown or unmeasured one the highest temperature of all, and no bias. */
export function calibrationFor(
  calibrations: Description["calibrations"],
  modality: Modality | null,
): Calibration {
  const own = modality === null ? undefined : calibrations[modality];
  const all = Object.values(calibrations);
  return own ?? { temperature: Math.max(...all.map(({ temperature }) => temperature)), bias: {} };
}

/** Probabilities, summing to 1; in log space, so that no exponential overflows. Throws where a score is not finite. */
export function softmax(scores: readonly number[]): number[] {
  if (!scores.every(Number.isFinite)) {
    throw new Error("The model returned a value that is not finite. Download its file again.");
  }
  const highest = Math.max(...scores);
  const logTotal = Math.log(sum(scores.map((score) => Math.exp(score - highest))));
  const probabilities = scores.map((score) => Math.exp(score - highest - logTotal));
  const total = sum(probabilities);
  return probabilities.map((probability) => probability / total);
}
