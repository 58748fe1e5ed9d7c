// Answers every case with the reference implementation: node answers.js CASES.json ANSWERS.json
import { readFile, writeFile } from "node:fs/promises";
import { argv } from "node:process";
import * as onDevice from "./on_device/index.js";

interface Given {
  readonly description: number;
}
/** `tensor` is where the model's input is written. */
interface GivenPhoto {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly outputs: onDevice.Outputs;
  readonly tensor: string | null;
}
interface LesionCase extends Given {
  readonly photos: GivenPhoto[];
  readonly patient: onDevice.PatientWords;
}
interface LogitsCase extends Given {
  readonly modality: onDevice.Modality | null;
  readonly logits: number[];
  readonly patient: onDevice.PatientWords;
}
interface TableCase extends Given {
  readonly modality: onDevice.Modality | null;
  readonly probabilities: number[];
  readonly photos: number[][];
}
interface Cases {
  readonly descriptions: onDevice.Description[];
  readonly lesions: LesionCase[];
  readonly refused: LesionCase[];
  readonly logits: LogitsCase[];
  readonly tables: TableCase[];
}

const [casesPath, answersPath] = argv.slice(2) as [string, string];
const cases = JSON.parse(await readFile(casesPath, "utf-8")) as Cases;
const descriptionOf = ({ description }: Given) => cases.descriptions[description]!;

async function answerLesion(given: LesionCase): Promise<onDevice.Classification> {
  const photos = [];
  for (const { file, width, height } of given.photos) {
    photos.push({ width, height, rgb: new Uint8Array(await readFile(file)) });
  }
  const waiting = [...given.photos];
  const network: onDevice.Network = async (input) => {
    const { tensor, outputs } = waiting.shift()!;
    if (tensor !== null) await writeFile(tensor, input);
    return outputs;
  };
  return onDevice.classify(photos, descriptionOf(given), network, given.patient);
}

async function refusalOf(given: LesionCase): Promise<string> {
  const answer = answerLesion(given);
  return answer.then(() => "answered", (error: Error) => error.message);
}

function answerLogits(given: LogitsCase): unknown {
  const description = descriptionOf(given);
  const facts = onDevice.factsOf(given.patient, description.patient);
  const calibrated = onDevice.calibratedLogits(given.logits, description, facts, given.modality);
  return { facts, probabilities: onDevice.softmax(calibrated) };
}

function answerTable(given: TableCase): onDevice.Decision {
  return onDevice.decide(given.probabilities, descriptionOf(given), given.modality, given.photos);
}

const lesions = [];
for (const given of cases.lesions) lesions.push(await answerLesion(given));
const answers = {
  lesions,
  refused: await Promise.all(cases.refused.map(refusalOf)),
  logits: cases.logits.map(answerLogits),
  tables: cases.tables.map(answerTable),
};
await writeFile(answersPath, JSON.stringify(answers));
