// Finding a dermatologist without leaving the page. The location is asked for on a click, and sent nowhere else.

import { postForPart } from "./send.js";

const LOCATION = { timeout: 10_000, maximumAge: 600_000 };

// Listening at the document reaches forms that come with an answer, too.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-swap]")) return;
  event.preventDefault();
  form.elements.lat.value = "";
  form.elements.lon.value = "";
  search(form);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-locate]");
  if (button) locate(button.form);
});

function locate(form) {
  const failed = form.querySelector("[data-locate-failed]");
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      failed.hidden = true;
      form.elements.lat.value = coords.latitude;
      form.elements.lon.value = coords.longitude;
      search(form);
    },
    () => {
      failed.hidden = false;
      form.elements.city.focus();
    },
    LOCATION,
  );
}

async function search(form) {
  const place = document.getElementById(form.dataset.swap);
  try {
    place.replaceChildren(...await postForPart(form.action, new FormData(form), form.dataset.swap));
  } catch {
    form.submit(); // the plain way: the browser says what is wrong
  }
}
