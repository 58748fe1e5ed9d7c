// Answers every case with the reference implementation: node answers.js CASES.json ANSWERS.json
import { readFile, writeFile } from "node:fs/promises";
import { argv } from "node:process";
import * as onDevice from "./on_device/index.js";

interface Given {
  readonly description: number;
  readonly modality: onDevice.Modality | null;
}
interface PhotoCase extends Given {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly logits: number[];
  readonly patient: onDevice.PatientWords;
}
interface LogitsCase extends Given {
  readonly logits: number[];
  readonly patient: onDevice.PatientWords;
}
interface TableCase extends Given {
  readonly probabilities: number[];
}
interface Cases {
  readonly descriptions: onDevice.Description[];
  readonly photos: PhotoCase[];
  readonly logits: LogitsCase[];
  readonly tables: TableCase[];
}

const [casesPath, answersPath] = argv.slice(2) as [string, string];
const cases = JSON.parse(await readFile(casesPath, "utf-8")) as Cases;
const descriptionOf = ({ description }: Given) => cases.descriptions[description]!;

async function answerPhoto(given: PhotoCase): Promise<unknown> {
  const { file, width, height, logits, patient, modality } = given;
  const rgb = new Uint8Array(await readFile(file));
  const network: onDevice.Network = async (input) => {
    await writeFile(`${file}.tensor`, input);
    return logits;
  };
  const circumstances = modality === null ? { patient } : { patient, modality };
  return onDevice.classify({ width, height, rgb }, descriptionOf(given), network, circumstances);
}

function answerLogits(given: LogitsCase): unknown {
  const description = descriptionOf(given);
  const facts = onDevice.factsOf(given.patient, description.patient);
  return { facts, probabilities: onDevice.probabilitiesOf(given.logits, description, facts, given.modality) };
}

const photos = [];
for (const given of cases.photos) photos.push(await answerPhoto(given));
const answers = {
  photos,
  logits: cases.logits.map(answerLogits),
  tables: cases.tables.map((given) => onDevice.decide(given.probabilities, descriptionOf(given), given.modality)),
};
await writeFile(answersPath, JSON.stringify(answers));
