// Forms sent without leaving the page. The server answers with a whole page, of which one part is taken.

const PATIENCE_MS = 120_000;

/** The server could not be reached, or answered with something else than a page; `text` is its reason, or empty. */
export class NoAnswer extends Error {
  constructor(text = "") {
    super(text);
    this.text = text;
  }
}

/**
 * Post a form and return the nodes inside the element `id` of the page that comes back.
 * The same `key` makes trying again safe: what was answered is not answered twice. `onProgress` is told 0 to 1.
 */
export async function postForPart(address, body, id, { key = "", onProgress = () => {} } = {}) {
  const request = await posted(address, body, key, onProgress);
  if (!(request.getResponseHeader("Content-Type") || "").startsWith("text/html")) throw new NoAnswer(errorOf(request));
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const part = page.getElementById(id);
  if (!part) throw new NoAnswer(page.querySelector("main p")?.textContent);
  return [...part.childNodes];
}

/** 128 random bits; crypto.randomUUID is missing over plain HTTP. */
export function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function posted(address, body, key, onProgress) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest(); // fetch tells nothing of an upload's progress
    request.open("POST", address);
    request.timeout = PATIENCE_MS;
    request.setRequestHeader("Accept", "text/html");
    if (key) request.setRequestHeader("Idempotency-Key", key);
    request.upload.onprogress = (event) => { if (event.lengthComputable) onProgress(event.loaded / event.total); };
    request.onload = () => done(request);
    request.onerror = () => failed(new NoAnswer());
    request.ontimeout = request.onerror;
    request.send(body);
  });
}

function errorOf(request) {
  try {
    return JSON.parse(request.responseText).error;
  } catch {
    return "";
  }
}
