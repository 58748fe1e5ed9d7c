// One chosen file: decoded, judged for sharpness, and shrunk to what the server recommends. Sends nothing.

const JUDGED_SIDE_PX = 256;
const JPEG_QUALITY = 0.92;
// Variance of the Laplacian on the middle of a photo whose short side is JUDGED_SIDE_PX; docs/web.md says how it was chosen.
const LEAST_SHARPNESS = 7;

/**
 * What to send for a file: itself, or a smaller JPEG of it where its short side is longer than `shortSidePx`.
 * `isSharp` is null where it cannot be judged; `canShow` is false where this browser cannot decode the photo.
 */
export async function preparePhoto(file, shortSidePx) {
  const bitmap = await decoded(file);
  if (!bitmap) return { file, canShow: false, isSharp: null };
  const side = Math.min(bitmap.width, bitmap.height);
  const isSharp = side < JUDGED_SIDE_PX ? null : sharpness(bitmap) >= LEAST_SHARPNESS;
  const smaller = shortSidePx && side > shortSidePx ? await shrunk(bitmap, shortSidePx / side, file.name) : null;
  bitmap.close();
  return { file: smaller && smaller.size < file.size ? smaller : file, canShow: true, isSharp };
}

/** Variance of the four-neighbour Laplacian of the middle quarter's luminance: low where edges are smeared. */
export function sharpness(bitmap) {
  const { canvas, context } = drawn(bitmap, JUDGED_SIDE_PX / Math.min(bitmap.width, bitmap.height));
  const width = Math.floor(canvas.width / 2);
  const height = Math.floor(canvas.height / 2);
  const { data } = context.getImageData(Math.floor(canvas.width / 4), Math.floor(canvas.height / 4), width, height);
  const light = new Float32Array(width * height);
  for (let i = 0; i < light.length; i += 1) {
    light[i] = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
  }
  let sum = 0;
  let squares = 0;
  for (let y = 1; y < height - 1; y += 1) {
    for (let x = 1; x < width - 1; x += 1) {
      const i = y * width + x;
      const value = light[i - 1] + light[i + 1] + light[i - width] + light[i + width] - 4 * light[i];
      sum += value;
      squares += value * value;
    }
  }
  const count = (width - 2) * (height - 2);
  return squares / count - (sum / count) ** 2;
}

async function decoded(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return null; // HEIC in most browsers: the server can read it
  }
}

async function shrunk(bitmap, factor, name) {
  const { canvas } = drawn(bitmap, factor);
  const blob = await new Promise((done) => { canvas.toBlob(done, "image/jpeg", JPEG_QUALITY); });
  return blob && new File([blob], name.replace(/(\.\w+)?$/, ".jpg"), { type: "image/jpeg" });
}

function drawn(bitmap, factor) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(bitmap.width * factor);
  canvas.height = Math.round(bitmap.height * factor);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return { canvas, context };
}
