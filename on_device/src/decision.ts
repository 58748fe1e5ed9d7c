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

/** `confidencePercent` is 0-100; `label` is null when rejected. */
export interface Decision {
  readonly status: "ok" | "uncertain" | "rejected";
  readonly label: string | null;
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
  readonly validated: boolean;
}

const SEVERITIES: readonly Severity[] = ["Low", "Moderate", "High"];

/** Decide on probabilities in the order of the labels; `modality` is null when no gate has judged it. */
export function decide(probabilities: readonly number[], rules: Rules, modality: Modality | null): Decision {
  const { labels, decision } = rules;
  const confidence = Math.max(...probabilities);
  const top = labels[probabilities.indexOf(confidence)];
  if (top === undefined || probabilities.length !== labels.length) {
    throw new Error(`${probabilities.length} probabilities do not fit ${labels.length} labels.`);
  }
  const malignancy = malignancyOf(probabilities, rules, modality, top);
  const uncertain = confidence < decision.minimum_confidence;
  const isMeasured = modality !== null && decision.malignancy_thresholds[modality] !== undefined;
  const findings = {
    top,
    uncertain,
    suspicious: malignancy.suspicious,
    validated: decision.gates_judged && isMeasured,
  };
  const rows: readonly (readonly [boolean, Severity, ReasonCode])[] = [
    [uncertain, "Moderate", "low_confidence"],
    [malignancy.suspicious, "High", "suspicious"],
    [mayBeMalignant(probabilities, labels, malignancy, top), "Moderate", "unknown_malignancy"],
    [!findings.validated, "Moderate", "not_validated"],
  ];
  const applying = rows.filter(([applies]) => applies);
  const severity = highest([top.severity, ...applying.map(([, each]) => each)]);
  return {
    status: uncertain ? "uncertain" : "ok",
    label: top.code,
    diagnosis: diagnosisOf(findings, decision),
    confidencePercent: roundToTenth(100 * confidence),
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

/** Null where no label is known to be malignant, but some might be; without a threshold a malignant top is suspicious. */
function malignancyOf(
  probabilities: readonly number[],
  { labels, decision }: Rules,
  modality: Modality | null,
  top: Label,
): Malignancy {
  const threshold = thresholdFor(decision, modality);
  const knowsMalignant = labels.some((label) => label.malignant === true);
  const knowsNothingOfSome = labels.some((label) => label.malignant === null);
  if (knowsNothingOfSome && !knowsMalignant) return { probability: null, threshold, suspicious: false };
  const probability = share(probabilities, labels, true);
  const suspicious = threshold === null ? top.malignant === true : probability >= threshold;
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
function adviceOf({ top, uncertain, suspicious, validated }: Findings, { texts }: DecisionRules): string {
  const believed = !uncertain && !(suspicious && top.malignant !== true);
  const sentences: string[] = [];
  if (suspicious && !(believed && top.severity === "High")) sentences.push(texts.suspicious_advice);
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
