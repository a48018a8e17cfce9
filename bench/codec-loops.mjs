/** Loops of codec.mjs, loaded once for each measurement. */

const laps = 200;

/** Encode, decode, write and read as one writes them by hand, without any check. */
export function codecByHand(size, { put, get }) {
  return {
    encode(value) {
      const bytes = new Uint8Array(size);
      put(new DataView(bytes.buffer), 0, value);
      return bytes;
    },
    decode(bytes) {
      return get(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0);
    },
    write: put,
    read: get,
  };
}

/** Keeps results in use. */
export let sink = 0;

export function encode(codec, values) {
  return () => {
    for (let lap = 0; lap < laps; lap++)
      for (const value of values) sink += codec.encode(value).length;
    return laps * values.length;
  };
}

export function decode(codec, values, struct) {
  const [name] = Object.keys(values[0]);
  const images = values.map((value) => struct.encode(value));
  return () => {
    for (let lap = 0; lap < laps; lap++)
      for (const image of images) if (codec.decode(image)[name] !== undefined) sink++;
    return laps * values.length;
  };
}

export function write(codec, values, { size }) {
  const view = new DataView(new ArrayBuffer(size * values.length));
  return () => {
    for (let lap = 0; lap < laps; lap++) {
      let offset = 0;
      for (const value of values) {
        codec.write(view, offset, value);
        offset += size;
      }
    }
    return laps * values.length;
  };
}

export function read(codec, values, struct) {
  const [name] = Object.keys(values[0]);
  const { size } = struct;
  const view = new DataView(new ArrayBuffer(size * values.length));
  for (const [index, value] of values.entries()) struct.write(view, index * size, value);
  return () => {
    for (let lap = 0; lap < laps; lap++)
      for (let offset = 0; offset < view.byteLength; offset += size)
        if (codec.read(view, offset)[name] !== undefined) sink++;
    return laps * values.length;
  };
}
