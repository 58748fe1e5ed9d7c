// From probabilities to what the person is told, as ml_models/decision.py.
//
// The rows of the severity table each contribute a severity; the highest wins, and safe is only what no row calls
// unsafe.

import { roundToTenth, sum } from "./arithmetic.js";
import type { DecisionRules, Description, Label, Modality, ReasonCode, Severity } from "./description.js";

export interface Reason {
  readonly code: ReasonCode;
  readonly text: string;
}

/** Summed probability of the malignant classes against the threshold in force; null where there is none. */
export interface Malignancy {
  readonly probability: number | null;
  readonly threshold: number | null;
  readonly suspicious: boolean;
}

/**
 * `confidencePercent` is 0-100; `label` is null when rejected. `possible` is the prediction set: every class that
 * cannot be ruled out, most probable first.
 */
export interface Decision {
  readonly status: "ok" | "uncertain" | "rejected";
  readonly label: string | null;
  readonly possible: readonly string[];
  readonly diagnosis: string;
  readonly confidencePercent: number;
  readonly severity: Severity;
  readonly advice: string;
  readonly isSafe: boolean;
  readonly malignancy: Malignancy;
  readonly reasons: readonly Reason[];
}

/** The parts of a description that decide. */
export type Rules = Pick<Description, "labels" | "decision">;

/** What is true of one answer, and words it. */
interface Findings {
  readonly top: Label;
  readonly uncertain: boolean;
  readonly suspicious: boolean;
  readonly disagree: boolean;
  readonly validated: boolean;
}

const SEVERITIES: readonly Severity[] = ["Low", "Moderate", "High"];

/**
 * Decide on probabilities in the order of the labels; `modality` is null when it is not certain. `photos` are the
 * probabilities of each of several photos alone, refused ones too: one that leaves more than classes of low severity
 * possible, or is suspicious, forbids to call the lesion safe.
 */
export function decide(
  probabilities: readonly number[],
  rules: Rules,
  modality: Modality | null,
  photos: readonly (readonly number[])[] = [],
): Decision {
  const { labels, decision } = rules;
  const top = topOf(probabilities, labels);
  const malignancy = malignancyOf(probabilities, rules, modality);
  const { suspicious } = malignancy;
  const disagree = isCalm(probabilities, rules, modality) && !photos.every((each) => isCalm(each, rules, modality));
  const possible = possibleLabels(probabilities, rules, modality);
  const uncertain = new Set(possible.map(careFor)).size !== 1;
  const findings = { top, uncertain, suspicious, disagree, validated: isValidated(decision, modality) };
  const rows: readonly (readonly [boolean, Severity, ReasonCode])[] = [
    [uncertain, "Moderate", "low_confidence"],
    [suspicious, "High", "suspicious"],
    [mayBeMalignant(probabilities, labels, malignancy, top), "Moderate", "unknown_malignancy"],
    [disagree, "Moderate", "photos_disagree"],
    [!findings.validated, "Moderate", "not_validated"],
  ];
  const applying = rows.filter(([applies]) => applies);
  const severity = highest([top.severity, ...applying.map(([, each]) => each)]);
  return {
    status: uncertain ? "uncertain" : "ok",
    label: top.code,
    possible: possible.map((label) => label.code),
    diagnosis: diagnosisOf(findings, decision),
    confidencePercent: roundToTenth(100 * Math.max(...probabilities)),
    severity,
    advice: adviceOf(findings, decision),
    isSafe: applying.length === 0 && top.malignant === false && severity === "Low",
    malignancy,
    reasons: withTexts(applying.map(([, , code]) => code), decision),
  };
}

/** What is told about a photo that gates have rejected. */
export function reject(rejections: readonly ReasonCode[], { decision }: Rules, modality: Modality | null): Decision {
  const reasons = withTexts(rejections, decision);
  return {
    status: "rejected",
    label: null,
    possible: [],
    diagnosis: decision.texts.rejected_diagnosis,
    confidencePercent: 0,
    severity: "Moderate",
    advice: [...reasons.map((reason) => reason.text), decision.texts.retake].join(" "),
    isSafe: false,
    malignancy: { probability: null, threshold: thresholdFor(decision, modality), suspicious: false },
    reasons,
  };
}

/** The modality's threshold; for an unknown or unvalidated one the most cautious that exists. */
function thresholdFor({ malignancy_thresholds: thresholds }: DecisionRules, modality: Modality | null): number | null {
  const all = Object.values(thresholds);
  const own = modality === null ? undefined : thresholds[modality];
  return own ?? (all.length > 0 ? Math.min(...all) : null);
}

/** The classes that cannot be ruled out, most probable first; for an unknown modality by the lowest limit. */
function possibleLabels(
  probabilities: readonly number[],
  { labels, decision: { prediction_sets: sets } }: Rules,
  modality: Modality | null,
): Label[] {
  const all = Object.values(sets);
  const limit = (modality === null ? undefined : sets[modality]) ?? (all.length > 0 ? Math.min(...all) : 0);
  const ranked = labels.map((label, index) => ({ label, probability: probabilities[index]! }));
  const within = ranked.filter(({ probability }) => probability >= limit);
  return within.sort((one, other) => other.probability - one.probability).map(({ label }) => label);
}

/** What two classes must share for it not to matter which of them it is; unknown malignancy shares nothing. */
function careFor({ code, malignant, severity }: Label): string {
  return malignant === null ? `class ${code}` : severity;
}

/** Whether nothing is suspicious, and only classes of low severity are possible. */
function isCalm(probabilities: readonly number[], rules: Rules, modality: Modality | null): boolean {
  const cares = new Set(possibleLabels(probabilities, rules, modality).map(careFor));
  return cares.size === 1 && cares.has("Low") && !malignancyOf(probabilities, rules, modality).suspicious;
}

/** Whether an answer about such a photo may be called safe at all. */
function isValidated({ gated, malignancy_thresholds: thresholds }: DecisionRules, modality: Modality | null): boolean {
  return modality !== null && gated.includes(modality) && thresholds[modality] !== undefined;
}

function topOf(probabilities: readonly number[], labels: readonly Label[]): Label {
  const top = labels[probabilities.indexOf(Math.max(...probabilities))];
  if (top === undefined || probabilities.length !== labels.length) {
    throw new Error(`${probabilities.length} probabilities do not fit ${labels.length} labels.`);
  }
  return top;
}

/** Null where no label is known to be malignant, but some might be; without a threshold a malignant top is suspicious. */
function malignancyOf(
  probabilities: readonly number[],
  { labels, decision }: Rules,
  modality: Modality | null,
): Malignancy {
  const threshold = thresholdFor(decision, modality);
  const knowsMalignant = labels.some((label) => label.malignant === true);
  const knowsNothingOfSome = labels.some((label) => label.malignant === null);
  if (knowsNothingOfSome && !knowsMalignant) return { probability: null, threshold, suspicious: false };
  const probability = share(probabilities, labels, true);
  const suspicious = threshold === null ? topOf(probabilities, labels).malignant === true : probability >= threshold;
  return { probability, threshold, suspicious };
}

/** Whether the answer would be another one if classes of unknown malignancy were malignant. */
function mayBeMalignant(
  probabilities: readonly number[],
  labels: readonly Label[],
  { probability, threshold }: Malignancy,
  top: Label,
): boolean {
  if (top.malignant === null) return true;
  const unknown = share(probabilities, labels, null);
  return unknown > 0 && threshold !== null && (probability ?? 0) + unknown >= threshold;
}

/** Summed probability of the labels with this malignancy. */
function share(probabilities: readonly number[], labels: readonly Label[], malignant: boolean | null): number {
  return Math.min(1, sum(probabilities.filter((_, index) => labels[index]!.malignant === malignant)));
}

function diagnosisOf({ top, uncertain, suspicious }: Findings, { texts }: DecisionRules): string {
  const text = uncertain ? texts.unsure + top.name : top.name;
  return suspicious && top.malignant !== true ? text + texts.possibly_malignant : text;
}

/** The most urgent sentence first; the class's own advice only when the class is believed. */
function adviceOf({ top, uncertain, suspicious, disagree, validated }: Findings, { texts }: DecisionRules): string {
  const believed = !uncertain && !(suspicious && top.malignant !== true);
  const sentences: string[] = [];
  if (suspicious && !(believed && top.severity === "High")) sentences.push(texts.suspicious_advice);
  if (disagree) sentences.push(texts.disagreeing_advice);
  if (uncertain) sentences.push(texts.uncertain_advice);
  if (believed) sentences.push(top.advice);
  if (!validated) sentences.push(texts.unvalidated_advice);
  return sentences.join(" ");
}

function highest(severities: readonly Severity[]): Severity {
  return SEVERITIES[Math.max(...severities.map((severity) => SEVERITIES.indexOf(severity)))]!;
}

function withTexts(codes: readonly ReasonCode[], { reasons }: DecisionRules): Reason[] {
  return codes.map((code) => ({ code, text: reasons[code] ?? code }));
}
