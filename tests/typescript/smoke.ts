// The journey of a client whose every type comes from the schema: node smoke.js SITE PHOTO
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { argv } from "node:process";
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./api.js";

type Prediction = components["schemas"]["PredictionResponse"];
type ErrorBody = components["schemas"]["ErrorBody"];

const [site, photoPath] = argv.slice(2);
assert(site && photoPath, "usage: node smoke.js SITE PHOTO");
const photo = new Blob([new Uint8Array(await readFile(photoPath))], { type: "image/jpeg" });

let token = "";
const bearer: Middleware = {
  onRequest: ({ request }) => {
    if (token) request.headers.set("Authorization", `Bearer ${token}`);
    return request;
  },
};
const api = createClient<paths>({ baseUrl: site });
api.use(bearer);

function asForm(body: Record<string, unknown>): FormData {
  const form = new FormData();
  const parts = Object.entries(body).flatMap(([name, value]) => [value].flat().map((part) => [name, part] as const));
  for (const [name, part] of parts) {
    if (part instanceof Blob) form.append(name, part, "skin.jpg");
    else if (part !== undefined && part !== null) form.append(name, String(part));
  }
  return form;
}

function given<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  assert.equal(answer.error, undefined, `${answer.response.url}: ${JSON.stringify(answer.error)}`);
  assert(answer.data !== undefined, `${answer.response.url} answered nothing`);
  return answer.data;
}

async function predict(): Promise<Prediction> {
  // openapi-typescript makes fields with a default required; the server does not.
  const body = { image: [photo], explain: false, consent: false };
  const prediction = given(await api.POST("/api/predict/", { body, bodySerializer: asForm }));
  assert(prediction.confidence >= 0 && prediction.confidence <= 100);
  const total = Object.values(prediction.probabilities ?? {}).reduce((sum, each) => sum + each, 0);
  assert(Math.abs(total - 1) < 1e-6);
  return prediction;
}

async function comeIn(): Promise<void> {
  const person = { email: "type@example.org", password: "vK3!plum-tree", confirm_password: "vK3!plum-tree" };
  given(await api.POST("/api/auth/register/", { body: { ...person, full_name: "Type", phone: "+352621777777" } }));
  const login = given(await api.POST("/api/auth/login/", { body: person }));
  token = login.access;
  const profile = given(await api.GET("/api/auth/profile/"));
  assert.equal(profile.full_name, "Type");
  assert.equal(profile.email_verified, false);
}

async function keepAndDelete(prediction: Prediction): Promise<void> {
  const body = {
    image: photo,
    diagnosis: prediction.diagnosis,
    confidence: `${Math.round(prediction.confidence)}%`,
    severity: prediction.severity,
    advice: prediction.advice,
    is_safe: prediction.isSafe,
  };
  const saved = given(await api.POST("/api/scans/", { body, bodySerializer: asForm }));
  assert.equal(saved.server?.id, prediction.id);
  const scans = given(await api.GET("/api/scans/"));
  assert.equal(scans.length, 1);
  const picture = await fetch(saved.image);
  assert.equal(picture.headers.get("Content-Type"), "image/jpeg");
  const path = { scan_id: saved.id };
  const pdf = given(await api.GET("/api/scans/{scan_id}/pdf/", { params: { path }, parseAs: "blob" }));
  assert.equal(await (pdf as Blob).slice(0, 5).text(), "%PDF-");
  const history = given(await api.GET("/api/predictions/", { params: { query: { severity: prediction.severity } } }));
  assert.equal(history.results[0]?.id, prediction.id);
  const deleted = await api.DELETE("/api/scans/{scan_id}/", { params: { path } });
  assert.equal(deleted.response.status, 204);
}

async function askForGuidance(prediction: Prediction): Promise<void> {
  const { diagnosis: disease, severity } = prediction;
  const chat = given(await api.POST("/api/chatbot/", { body: { disease, severity, trigger: "scan_result" } }));
  assert.equal(chat.topic, "explain");
  const nearby = given(await api.POST("/api/nearby-hospitals/", { body: { lat: 48.2, lon: 16.4 } }));
  assert.deepEqual(nearby.hospitals, []);
  assert.match(nearby.maps_search_url, /^https:/);
}

async function makeMistakes(): Promise<void> {
  const refused = await api.POST("/api/nearby-hospitals/", { body: { lat: 91, lon: 16.4 } });
  const error: ErrorBody | undefined = refused.error;
  assert.equal(error?.code, "invalid");
  assert.deepEqual(Object.keys(error?.fields ?? {}), ["lat"]);
}

const prediction = await predict();
await comeIn();
await keepAndDelete(prediction);
await askForGuidance(prediction);
await makeMistakes();
console.log("every step answered as its type says");
