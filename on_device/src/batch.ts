// LiteRT.js runs a model only at the very shape that its file states, and Keras leaves the size of a batch open.

/** A copy of a LiteRT file whose open dimensions are 1; throws where the bytes are no LiteRT file. */
export function withBatchOfOne(model: Uint8Array): Uint8Array {
  const copy = model.slice();
  const file = new FlatBuffer(new DataView(copy.buffer, copy.byteOffset, copy.byteLength));
  if (!file.isLiteRt) throw new Error("This is no LiteRT file. Download it again, and compare its sha256.");
  for (const subgraph of file.tables(file.root, MODEL_SUBGRAPHS)) {
    for (const tensor of file.tables(subgraph, SUBGRAPH_TENSORS)) {
      for (const place of file.elements(tensor, TENSOR_SHAPE_SIGNATURE)) {
        if (file.view.getInt32(place, true) === OPEN) file.view.setInt32(place, 1, true);
      }
    }
  }
  return copy;
}

// Places of the fields in TensorFlow Lite's schema.fbs, version 3.
const MODEL_SUBGRAPHS = 2;
const SUBGRAPH_TENSORS = 0;
const TENSOR_SHAPE_SIGNATURE = 7;
const OPEN = -1;
const IDENTIFIER = "TFL3";

/** As much of the format as is needed: https://flatbuffers.dev/internals. Positions are bytes from the beginning. */
class FlatBuffer {
  constructor(readonly view: DataView) {}

  get isLiteRt(): boolean {
    const isLetter = (letter: string, index: number) => this.view.getUint8(4 + index) === letter.charCodeAt(0);
    return this.view.byteLength > 8 && [...IDENTIFIER].every(isLetter);
  }

  get root(): number {
    return this.view.getUint32(0, true);
  }

  tables(table: number, field: number): number[] {
    return this.elements(table, field).map((place) => place + this.view.getUint32(place, true));
  }

  /** Where the elements, of four bytes each, of a vector lie; none where the field is missing. */
  elements(table: number, field: number): number[] {
    const places = table - this.view.getInt32(table, true);
    const slot = 4 + 2 * field;
    const offset = slot < this.view.getUint16(places, true) ? this.view.getUint16(places + slot, true) : 0;
    if (offset === 0) return [];
    const vector = table + offset + this.view.getUint32(table + offset, true);
    return Array.from({ length: this.view.getUint32(vector, true) }, (_, index) => vector + 4 + 4 * index);
  }
}
