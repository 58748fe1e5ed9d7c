// The chosen photos: picked, dropped, pasted or taken; shown, judged and removed. Words come from the page.

import { preparePhoto } from "./photo.js";

/** Take over a form's file field, which always holds the photos to send. `changed` is called whenever they change. */
export class Chooser {
  #photos = [];
  #busy = Promise.resolve();

  constructor(form, changed) {
    this.changed = changed;
    this.most = Number(form.dataset.maxPhotos);
    this.shortSidePx = Number(form.dataset.shortSidePx);
    this.field = form.querySelector("#image");
    this.list = form.querySelector("#photos");
    this.hint = form.querySelector("#hint");
    this.advice = this.hint.textContent;
    this.nothing = this.list.firstElementChild;
    this.field.addEventListener("change", () => this.add(this.field.files));
    this.#listenToDrops(form.querySelector("#drop"));
    this.#listenToCamera(form.querySelector("#camera"));
    document.addEventListener("paste", (event) => this.add(event.clipboardData?.files ?? []));
    this.add(this.field.files); // chosen before this script ran, or kept by the browser
  }

  /** Resolves when no photo is being shrunk any more. */
  ready() {
    return this.#busy;
  }

  add(files) {
    const added = [...files];
    if (added.length) this.#busy = this.#busy.then(() => this.#add(added));
  }

  async #add(files) {
    const images = files.filter((file) => file.type.startsWith("image/") || /\.(heic|heif)$/i.test(file.name));
    if (this.most === 1 && images.length) this.#photos.splice(0).forEach(forget); // another choice replaces the first
    const taken = images.slice(0, this.most - this.#photos.length);
    for (const file of taken) {
      const photo = await preparePhoto(file, this.shortSidePx); // one after the other: a phone has little memory
      photo.address = photo.canShow ? URL.createObjectURL(photo.file) : "";
      this.#photos.push(photo);
    }
    this.#show();
    if (images.length < files.length) this.#say(this.hint.dataset.notImage, true);
    else if (taken.length < images.length) this.#say(this.hint.dataset.tooMany, true);
  }

  #remove(photo) {
    this.#photos.splice(this.#photos.indexOf(photo), 1);
    forget(photo);
    this.#show();
    this.field.focus();
  }

  #show() {
    const held = new DataTransfer();
    this.#photos.forEach((photo) => held.items.add(photo.file));
    this.field.files = held.files;
    this.list.replaceChildren(...(this.#photos.length ? this.#photos.map((photo) => this.#item(photo)) : [this.nothing]));
    const { blurred, sharp, unread } = this.hint.dataset;
    if (!this.#photos.length) this.#say(this.advice);
    else if (this.#photos.some((photo) => photo.isSharp === false)) this.#say(blurred, true);
    else if (this.#photos.some((photo) => !photo.canShow)) this.#say(unread);
    else this.#say(this.#photos.every((photo) => photo.isSharp) ? sharp : this.advice);
    this.changed();
  }

  #item(photo) {
    const item = document.createElement("li");
    if (photo.canShow) item.append(Object.assign(new Image(), { src: photo.address, alt: this.list.ariaLabel }));
    else item.append(photo.file.name);
    const remove = Object.assign(document.createElement("button"), { type: "button", textContent: "×", ariaLabel: this.hint.dataset.remove });
    remove.addEventListener("click", () => this.#remove(photo));
    item.append(remove);
    return item;
  }

  #say(text, isWarning = false) {
    this.hint.textContent = text;
    this.hint.classList.toggle("error", isWarning);
  }

  #listenToDrops(box) {
    const over = (isOver) => (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault(); // or a photo dropped beside the box would replace the page
      box.classList.toggle("drop--over", isOver);
      if (event.type === "drop") this.add(event.dataTransfer.files);
    };
    document.addEventListener("dragover", over(true));
    document.addEventListener("dragleave", over(false));
    document.addEventListener("drop", over(false));
  }

  #listenToCamera(button) {
    const field = Object.assign(document.createElement("input"), { type: "file", accept: "image/*" });
    field.setAttribute("capture", "environment");
    field.addEventListener("change", () => this.add(field.files));
    button.addEventListener("click", () => field.click());
  }
}

function forget(photo) {
  if (photo.address) URL.revokeObjectURL(photo.address);
}
