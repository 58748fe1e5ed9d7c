// From a photo to the model's input, as ml_models/preprocess.py, version 1.

import { roundHalfEven } from "./arithmetic.js";
import type { Description } from "./description.js";
import { areaTaps, linearTaps, resample } from "./resize.js";

/** An upright sRGB photo: three bytes a pixel, row by row, no alpha. */
export interface Photo {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array | Uint8ClampedArray;
}

/** The part of the photo that the model sees. */
export interface Frame {
  readonly top: number;
  readonly left: number;
  readonly width: number;
  readonly height: number;
}

/** Throws where the bytes are not those of a photo of this size; a canvas gives four a pixel. */
export function checkPhoto({ width, height, rgb }: Photo): void {
  if (rgb.length !== 3 * width * height || rgb.length === 0) {
    throw new Error(`${rgb.length} bytes are not ${width} x ${height} pixels of 3. Leave out the alpha channel.`);
  }
}

/** The longer side cut symmetrically to at most `maxAspect` times the shorter. */
export function frameOf(width: number, height: number, maxAspect: number): Frame {
  const longest = roundHalfEven(Math.min(width, height) * maxAspect);
  return {
    top: Math.floor(Math.max(0, height - longest) / 2),
    left: Math.floor(Math.max(0, width - longest) / 2),
    width: Math.min(width, longest),
    height: Math.min(height, longest),
  };
}

/** Float32 [size, size, 3] in 0-255. */
export function preprocess(photo: Photo, { size_px: size, max_aspect: maxAspect }: Description["input"]): Float32Array {
  const frame = frameOf(photo.width, photo.height, maxAspect);
  const taps = frame.width >= size && frame.height >= size ? areaTaps : linearTaps;
  const window = { pixels: photo.rgb, width: photo.width, channels: 3, top: frame.top, left: frame.left };
  return resample(window, taps(frame.height, size), taps(frame.width, size));
}
