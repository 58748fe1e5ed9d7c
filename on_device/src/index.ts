export { withBatchOfOne } from "./batch.js";
export { probabilitiesOf } from "./calibration.js";
export { type Circumstances, type Classification, classify, type Network } from "./classify.js";
export { type Decision, decide, type Malignancy, type Reason, reject } from "./decision.js";
export { checkUnderstood, type Description, type Label, type Modality, type Severity } from "./description.js";
export { failedGates, measure, SCORES, type Scores } from "./gates.js";
export { factsOf, type PatientFacts, type PatientWords } from "./patient.js";
export { frameOf, type Photo, preprocess } from "./preprocess.js";
