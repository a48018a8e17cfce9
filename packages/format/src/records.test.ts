import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from './codec-compiled.ts';
import { interpret } from './codec-interpreted.ts';
import { holes, type Layout } from './layout.ts';
import type { Struct } from './struct.ts';
import { baseStructs, records, structs } from './testing/structs.ts';
import { valuesOf } from './testing/values.ts';

type Any = Readonly<Record<string, unknown>>;

function layoutOf(struct: Struct<Any>): Layout {
  const { name, size, fields } = struct;
  return { name, size, fields, type: 'type' in struct ? Number(struct.type) : undefined };
}

function zeroOf(struct: Struct<Any>): Any {
  return struct.decode(new Uint8Array());
}

describe.each(structs)('$name', ({ struct }) => {
  const layout = layoutOf(struct);
  const compiled = compile<Any>(layout);
  const interpreted = interpret<Any>(layout);
  const check = (test: (value: Any, bytes: Uint8Array) => void) => {
    fc.assert(
      fc.property(valuesOf(struct), (value) => {
        test(value, struct.encode(value));
      }),
    );
  };

  it('reads back what it wrote', () => {
    check((value, bytes) => {
      expect(bytes).toHaveLength(struct.size);
      expect(struct.decode(bytes)).toEqual(value);
    });
  });

  it('has one form, whoever writes and reads it', () => {
    check((value, bytes) => {
      for (const codec of [compiled, interpreted]) {
        expect(codec.encode(value)).toEqual(bytes);
        expect(codec.decode(bytes)).toEqual(value);
        const room = new Uint8Array(struct.size + 6).fill(0xff);
        const view = new DataView(room.buffer, 2);
        codec.write(view, 1, value);
        expect(room.subarray(3, 3 + struct.size)).toEqual(bytes);
        expect([...room.subarray(0, 3), ...room.subarray(3 + struct.size)]).toEqual(
          new Array(6).fill(0xff),
        );
        expect(codec.read(view, 1)).toEqual(value);
      }
    });
  });

  it('has zeros where a shorter one ends', () => {
    check((value, bytes) => {
      for (const { offset } of struct.fields) {
        const expected = struct.fields.map(({ name, offset: at }) => [
          name,
          (at < offset ? value : zeroOf(struct))[name],
        ]);
        expect(struct.decode(bytes.subarray(0, offset))).toEqual(Object.fromEntries(expected));
      }
    });
  });

  it('refuses a longer one whose unknown bytes say something', () => {
    check((value, bytes) => {
      const longer = new Uint8Array(struct.size + 9);
      longer.set(bytes);
      expect(struct.decode(longer)).toEqual(value);
      longer[struct.size + 8] = 1;
      for (const codec of [compiled, interpreted])
        expect(() => codec.decode(longer)).toThrow(
          expect.objectContaining({ code: 'E2BIG', path: [struct.name.toLowerCase()] }),
        );
    });
  });

  it('refuses to be read where it is cut', () => {
    const view = new DataView(new ArrayBuffer(struct.size + 4));
    for (const codec of [compiled, interpreted])
      for (const offset of [5, struct.size + 5, -1, NaN])
        expect(() => codec.read(view, offset)).toThrow(expect.objectContaining({ code: 'EPIPE' }));
  });

  it('keeps its layout', () => {
    const lines = struct.fields.map(
      ({ name, offset, field }) => `${offset} ${field.type} ${name} ${field.size}`,
    );
    const type = layout.type === undefined ? '' : `, type ${layout.type}`;
    expect([`${struct.name}: ${struct.size} bytes${type}`, ...lines]).toMatchSnapshot();
  });

  it('is a multiple of its alignment, without holes that nobody declared', () => {
    const align = Math.max(1, ...struct.fields.map(({ field }) => field.align));
    expect(struct.size % (layout.type === undefined ? align : 8)).toBe(0);
    if (!baseStructs.has(struct.name)) expect(holes(layout)).toEqual([]);
  });

  it('says what each field is', () => {
    for (const { field } of struct.fields) expect(field.doc).not.toBe('');
    expect(struct.doc).toMatch(/\.$/);
  });
});

it('no two records share a number, but the two tasks', () => {
  const numbers = records.map(({ record }) => record.type);
  expect(numbers.filter((type, index) => numbers.indexOf(type) !== index)).toEqual([101]);
});
