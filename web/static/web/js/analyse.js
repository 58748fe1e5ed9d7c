// The page's journey: photos chosen, form sent, answer shown in the room that was kept for it.

import { Chooser } from "./chooser.js";
import "./places.js";
import { NoAnswer, postForPart, randomKey } from "./send.js";

const form = document.getElementById("analyse");
const room = document.getElementById("answer");
let key = "";
const chooser = new Chooser(form, () => { key = ""; });
form.addEventListener("input", () => { key = ""; }); // what is sent again unchanged keeps its key
form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
document.addEventListener("input", (event) => {
  if (event.target.matches("[data-opacity]")) {
    event.target.closest("figure").querySelector(".look__map").style.opacity = event.target.value / 100;
  }
});

async function send() {
  if (room.ariaBusy === "true") return;
  room.ariaBusy = "true";
  try {
    await chooser.ready();
    const body = new FormData(form);
    key ||= randomKey();
    const progress = show([template("working")]).querySelector("progress");
    const onProgress = (share) => {
      if (share < 1) progress.value = share;
      else progress.removeAttribute("value"); // sent: now the server works, nobody knows how long
    };
    show(await postForPart(form.action, body, "answer", { key, onProgress }));
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    showFailure(error.text);
  } finally {
    room.ariaBusy = "false";
  }
}

function showFailure(text) {
  const failure = template("failed");
  if (text) failure.querySelector("[data-why]").textContent = text;
  failure.querySelector("[data-retry]").addEventListener("click", send);
  show([failure]);
}

/** Put nodes into the room and the focus on their heading. */
function show(nodes) {
  room.classList.add("room--busy");
  room.replaceChildren(...nodes);
  room.querySelector("h2")?.focus({ preventScroll: true });
  room.scrollIntoView();
  return room;
}

function template(id) {
  return document.getElementById(id).content.cloneNode(true);
}
