// What GET /api/model/on-device/ answers, as far as an answer depends on it, and which of it this code understands.

export type Severity = "Low" | "Moderate" | "High";
export type Modality = "dermatoscopic" | "clinical";
export type ReasonCode = string;

export interface Label {
  readonly code: string;
  readonly name: string;
  readonly malignant: boolean | null;
  readonly severity: Severity;
  readonly advice: string;
}

export interface Calibration {
  readonly temperature: number;
  readonly bias: Readonly<Record<string, number>>;
}

/** Fact, such as an age band, to class code to offset. */
export type Offsets = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface PatientRules {
  readonly effects: { readonly age: Offsets; readonly sex: Offsets; readonly site: Offsets };
  readonly age_bands: readonly { readonly band: string; readonly from_years: number; readonly to_years: number }[];
  readonly sexes: readonly string[];
  readonly left_out_of_site: string;
  readonly sites: readonly { readonly site: string; readonly pattern: string }[];
}

/** `modality` is null where the gate is asked whatever the kind of photo. */
export interface Gate {
  readonly score: string;
  readonly minimum: number;
  readonly reason: ReasonCode;
  readonly modality: Modality | null;
  /** What must be in order before the next makes sense. */
  readonly tier: number;
}

export interface GateRules {
  readonly measured_side_px: number;
  readonly clipped_from: number;
  readonly rules: readonly Gate[];
}

/** `kind_order` is that of the output `kinds`; null: no photo of a lesion. */
export interface HeadRules {
  readonly kind_order: readonly (Modality | null)[];
  readonly modality_certainty: number;
}

/** What the file calls its outputs; a network without heads has no `kinds` and no `coverage`. */
export interface OutputNames {
  readonly logits: string;
  readonly kinds?: string;
  readonly coverage?: string;
}

export interface DecisionRules {
  readonly malignancy_thresholds: Readonly<Partial<Record<Modality, number>>>;
  readonly prediction_sets: Readonly<Partial<Record<Modality, number>>>;
  readonly gated: readonly Modality[];
  readonly reasons: Readonly<Record<ReasonCode, string>>;
  readonly texts: {
    readonly rejected_diagnosis: string;
    readonly retake: string;
    readonly suspicious_advice: string;
    readonly disagreeing_advice: string;
    readonly uncertain_advice: string;
    readonly unvalidated_advice: string;
    readonly unsure: string;
    readonly possibly_malignant: string;
  };
}

export interface Description {
  readonly format: number;
  readonly model: { readonly name: string; readonly version: string; readonly digest: string };
  readonly file: {
    readonly url: string;
    readonly size_bytes: number;
    readonly sha256: string;
    readonly signature: string;
    readonly input: string;
    readonly outputs: OutputNames;
  };
  readonly input: { readonly size_px: number; readonly preprocess_version: number; readonly max_aspect: number };
  /** In the order of the model's outputs. */
  readonly labels: readonly Label[];
  readonly calibrations: Readonly<Partial<Record<Modality, Calibration>>>;
  readonly patient: PatientRules;
  readonly heads: HeadRules;
  readonly gates: GateRules;
  readonly decision: DecisionRules;
}

const FORMAT = 2;
const PREPROCESS_VERSION = 1;

/** Throws where the server has moved on: an answer by half-understood rules would not be the server's. */
export function checkUnderstood(
  description: Description,
  photoScores: readonly string[],
  networkScores: readonly string[],
): void {
  if (description.format !== FORMAT) {
    throw new Error(`The description has format ${description.format}, this code reads ${FORMAT}. Update the app.`);
  }
  const version = description.input.preprocess_version;
  if (version !== PREPROCESS_VERSION) {
    throw new Error(`The model wants preprocessing ${version}, this code has ${PREPROCESS_VERSION}. Update the app.`);
  }
  const { kinds, coverage } = description.file.outputs;
  const hasHeads = kinds !== undefined && coverage !== undefined;
  const scores = hasHeads ? [...photoScores, ...networkScores] : photoScores;
  for (const gate of description.gates.rules) {
    if (!scores.includes(gate.score)) {
      throw new Error(`A gate needs the score ${gate.score}, which this code cannot measure. Update the app.`);
    }
  }
}
