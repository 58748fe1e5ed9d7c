// Keys and zoom for the reviewer's pages. Everything works without: buttons submit, photos open in their own page.
"use strict";

const ZOOM = 3;
// A key that is still down from the page before must not answer this one.
const DEAF_MS = 300;
const loadedAt = performance.now();

function pressed(event) {
  const isTyping = event.target.closest("textarea, select, input:not([type=radio])");
  const isShortcut = event.ctrlKey || event.metaKey || event.altKey;
  if (isTyping || isShortcut || event.repeat || performance.now() - loadedAt < DEAF_MS) {
    return;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const isOnControl = key === "Enter" && event.target.closest("a, button, summary");
  const target = isOnControl ? null : document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  const choices = document.querySelector(`[data-cycle="${CSS.escape(key)}"]`);
  if (target) {
    event.preventDefault();
    target.click();
  } else if (choices) {
    event.preventDefault();
    checkNext([...choices.querySelectorAll("input[type=radio]")]);
  } else if (key === "z") {
    document.querySelector(".review-zoom")?.click();
  }
}

function checkNext(radios) {
  const index = radios.findIndex((radio) => radio.checked);
  radios[(index + 1) % radios.length].checked = true;
}

function makeZoomable(link) {
  const image = link.querySelector("img");
  const small = image.src;
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const isZoomed = link.classList.toggle("is-zoomed");
    image.src = isZoomed ? link.href : small;
    image.style.transform = isZoomed ? `scale(${ZOOM})` : "";
    if (isZoomed && event.detail) {
      lookAt(event);
    }
  });
  const lookAt = (event) => {
    const box = link.getBoundingClientRect();
    const x = (100 * (event.clientX - box.left)) / box.width;
    const y = (100 * (event.clientY - box.top)) / box.height;
    image.style.transformOrigin = `${x}% ${y}%`;
  };
  link.addEventListener("pointermove", lookAt);
}

// A second click while the first is on its way must not send twice; the answer is in the button that was pressed.
function sendOnce(form) {
  let isSent = false;
  form.addEventListener("submit", (event) => {
    if (isSent) {
      event.preventDefault();
    }
    isSent = true;
  });
  window.addEventListener("pageshow", () => {
    isSent = false;
  });
}

document.addEventListener("keydown", pressed);
document.querySelectorAll(".review-zoom").forEach(makeZoomable);
document.querySelectorAll("form[method=post]").forEach(sendOnce);
document.querySelectorAll(".review-zoom-help").forEach((help) => {
  help.hidden = false;
});
