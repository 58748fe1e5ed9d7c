export { withBatchOfOne } from "./batch.js";
export { calibratedLogits, softmax } from "./calibration.js";
export { type Classification, classify, type Network, type SeenPhoto } from "./classify.js";
export { type Decision, decide, type Malignancy, type Reason, reject } from "./decision.js";
export { checkUnderstood, type Description, type Label, type Modality, type Severity } from "./description.js";
export { failedGates, measure, PHOTO_SCORES, type Scores } from "./gates.js";
export { modalityOf, NETWORK_SCORES, type Outputs, readHeads } from "./heads.js";
export { factsOf, type PatientFacts, type PatientWords } from "./patient.js";
export { frameOf, type Photo, preprocess } from "./preprocess.js";
