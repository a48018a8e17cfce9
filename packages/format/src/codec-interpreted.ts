import {
  fit,
  holes,
  refuseReserved,
  refuseValues,
  refuseView,
  type Codec,
  type Layout,
} from './layout.ts';
import { misfit } from './field.ts';

/** A codec that walks the fields each time: for places where no code can be made of strings. */
export function interpret<T>(layout: Layout): Codec<T> {
  const { size, fields, type } = layout;
  const padding = holes(layout);
  const scratch = new Uint8Array(size);
  const scratchView = new DataView(scratch.buffer);

  const write = (view: DataView, offset: number, value: T): void => {
    const values = fields.map(({ name }) => (value as Record<string, unknown>)[name]);
    if (fields.some(({ field }, index) => misfit(field, values[index]) !== undefined))
      refuseValues(layout, values);
    if (size > 0) view.getUint8(offset + size - 1);
    if (type !== undefined) {
      view.setUint32(offset, type, true);
      view.setUint32(offset + 4, size, true);
    }
    for (const hole of padding) view.setUint8(offset + hole, 0);
    for (const [index, { offset: at, field }] of fields.entries())
      field.set(view, offset + at, values[index]);
  };

  const read = (view: DataView, offset: number): T => {
    if (!(offset >= 0 && offset + size <= view.byteLength)) refuseView(layout, view, offset);
    const value: Record<string, unknown> = {};
    for (const { name, offset: at, field } of fields) {
      value[name] = field.get(view, offset + at);
      if (field.notation.kind === 'reserved' && misfit(field, value[name]) !== undefined)
        refuseReserved(layout, name);
    }
    return value as T;
  };

  return {
    write,
    read,
    encode: (value) => {
      write(scratchView, 0, value);
      return scratch.slice();
    },
    decode: (bytes) => {
      fit(layout, bytes, scratch);
      return read(scratchView, 0);
    },
  };
}
