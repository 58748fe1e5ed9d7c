// The whole way from pixels to an answer, as ml_models/classifier.py: preprocess, run, gates, calibrate, fuse, decide.

import { sum } from "./arithmetic.js";
import { calibratedLogits, softmax } from "./calibration.js";
import { type Decision, decide, reject } from "./decision.js";
import { checkUnderstood, type Description, type Modality, type ReasonCode } from "./description.js";
import { failedGates, measure, PHOTO_SCORES, type Scores } from "./gates.js";
import { modalityOf, NETWORK_SCORES, outputOf, type Outputs, readHeads } from "./heads.js";
import { factsOf, type PatientFacts, type PatientWords } from "./patient.js";
import { checkPhoto, type Photo, preprocess } from "./preprocess.js";

/** Runs the LiteRT file: float32 [1, size, size, 3] to its outputs by name. */
export type Network = (input: Float32Array, sizePx: number) => Promise<Outputs>;

type Probabilities = Readonly<Record<string, number>>;

/** What was found of one photo. `probabilities` are its own, null where `rejections` say why it is not usable. */
export interface SeenPhoto {
  readonly gateScores: Scores;
  readonly rejections: readonly ReasonCode[];
  readonly modality: Modality | null;
  readonly probabilities: Probabilities | null;
}

/** The answer to all photos. `probabilities` by class code, null when rejected; `modality` null when unsure. */
export interface Classification {
  readonly decision: Decision;
  readonly probabilities: Probabilities | null;
  readonly modality: Modality | null;
  readonly photos: readonly SeenPhoto[];
}

/**
 * Answer one upright sRGB photo of a lesion, or several of the same one, of the person of whom `patient` is known.
 *
 * Several are fused by the mean of their calibrated logits; those that gates reject do not count while another is
 * usable, but one of them that looks suspicious still forbids to call the lesion safe. Throws where the description is newer than this code, or the network fails.
 */
export async function classify(
  photos: readonly Photo[],
  description: Description,
  network: Network,
  patient: PatientWords = {},
): Promise<Classification> {
  checkUnderstood(description, PHOTO_SCORES, NETWORK_SCORES);
  if (photos.length === 0) throw new Error("No photo to classify: give at least one.");
  photos.forEach(checkPhoto);
  const facts = factsOf(patient, description.patient);
  const looks: Look[] = [];
  for (const photo of photos) looks.push(await look(photo, description, network, facts)); // one at a time: memory
  const usable = looks.filter(({ seen }) => seen.rejections.length === 0);
  const seen = looks.map((each) => each.seen);
  const modality = common((usable.length > 0 ? usable : looks).map((each) => each.seen.modality));
  if (usable.length === 0) {
    const rejections = [...new Set(seen.flatMap((each) => each.rejections))];
    return { decision: reject(rejections, description, modality), probabilities: null, modality, photos: seen };
  }
  const fused = softmax(meanOf(usable.map(({ logits }) => logits)));
  const alone = looks.length > 1 ? looks.map(({ logits }) => softmax(logits)) : [];
  const decision = decide(fused, description, modality, alone);
  return { decision, probabilities: byCode(fused, description), modality, photos: seen };
}

/** A photo, and its calibrated logits. */
interface Look {
  readonly seen: SeenPhoto;
  readonly logits: readonly number[];
}

async function look(photo: Photo, description: Description, network: Network, facts: PatientFacts): Promise<Look> {
  const { file, gates, heads: rules, input } = description;
  const outputs = await network(preprocess(photo, input), input.size_px);
  const heads = readHeads(outputs, file.outputs, rules);
  const modality = modalityOf(heads, rules);
  const gateScores = { ...measure(photo, gates), ...heads.scores };
  const rejections = failedGates(gateScores, gates.rules, modality);
  const logits = calibratedLogits(outputOf(outputs, file.outputs.logits), description, facts, modality);
  const probabilities = rejections.length === 0 ? byCode(softmax(logits), description) : null;
  return { seen: { gateScores, rejections, modality, probabilities }, logits };
}

/** What they all are; null where they differ. */
function common(modalities: readonly (Modality | null)[]): Modality | null {
  const first = modalities[0] ?? null;
  return modalities.every((each) => each === first) ? first : null;
}

function meanOf(rows: readonly (readonly number[])[]): number[] {
  return rows[0]!.map((_, place) => sum(rows.map((row) => row[place]!)) / rows.length);
}

function byCode(probabilities: readonly number[], { labels }: Description): Probabilities {
  return Object.fromEntries(labels.map((label, index) => [label.code, probabilities[index]!]));
}
