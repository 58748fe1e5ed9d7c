// What a person says of themselves, and what it adds to the logits, as ml_models/patient.py.

import type { PatientRules } from "./description.js";

/** A form's words; what is missing or not understood adds nothing. */
export interface PatientWords {
  readonly ageYears?: number | undefined;
  readonly sex?: string | undefined;
  readonly site?: string | undefined;
}

/** Rows of the tables of effects; null where a fact is unknown. */
export interface PatientFacts {
  readonly ageBand: string | null;
  readonly sex: string | null;
  readonly site: string | null;
}

/** Facts from words, English or Spanish. */
export function factsOf({ ageYears, sex, site }: PatientWords, rules: PatientRules): PatientFacts {
  return {
    ageBand: ageYears === undefined ? null : ageBandOf(ageYears, rules),
    sex: sex !== undefined && rules.sexes.includes(sex) ? sex : null,
    site: siteOf(site ?? "", rules),
  };
}

/** The region that free words name; null for none, or for several. Palms and soles win over the limb that they end. */
export function siteOf(words: string, rules: PatientRules): string | null {
  const text = folded(words).replace(expression(rules.left_out_of_site, "g"), " ");
  let found = rules.sites.filter(({ pattern }) => expression(pattern).test(text)).map(({ site }) => site);
  if (found.includes(PALMS_SOLES)) found = found.filter((site) => !LIMBS.includes(site));
  return found.length === 1 ? found[0]! : null;
}

/** What the facts add to each of the classes. */
export function offsets(facts: PatientFacts, codes: readonly string[], { effects }: PatientRules): number[] {
  const rows = [
    facts.ageBand === null ? undefined : effects.age[facts.ageBand],
    facts.sex === null ? undefined : effects.sex[facts.sex],
    facts.site === null ? undefined : effects.site[facts.site],
  ];
  return codes.map((code) => rows.reduce((total, row) => total + (row?.[code] ?? 0), 0));
}

const PALMS_SOLES = "palms/soles";
const LIMBS: readonly string[] = ["upper extremity", "lower extremity"];
const WORD = "[\\p{L}\\p{N}_]";
const EDGE = `(?:(?<!${WORD})(?=${WORD})|(?<=${WORD})(?!${WORD}))`;

function ageBandOf(ageYears: number, rules: PatientRules): string | null {
  const years = ageYears >= 0 ? Math.floor(ageYears) : -1;
  return rules.age_bands.find((each) => each.from_years <= years && years <= each.to_years)?.band ?? null;
}

/** Without case and accents; by way of upper case, so that a sharp s is two. */
function folded(words: string): string {
  return words.toUpperCase().toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
}

/** JavaScript's own word edge knows ASCII only. */
function expression(pattern: string, flags = ""): RegExp {
  return new RegExp(pattern.replaceAll("\\b", EDGE), `u${flags}`);
}
