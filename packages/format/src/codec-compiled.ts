import { getBytes, setBytes, type Field } from './field.ts';
import {
  fit,
  holes,
  refuseReserved,
  refuseValues,
  refuseView,
  type Codec,
  type Layout,
  type Placed,
} from './layout.ts';

const method = {
  u8: 'Uint8',
  u16: 'Uint16',
  u32: 'Uint32',
  i32: 'Int32',
  u64: 'BigUint64',
  i64: 'BigInt64',
};

/** Condition under which a variable does not fit its field. */
function misfits({ type, size, notation }: Field<unknown>, variable: string): string {
  if (notation.kind === 'reserved') return `${variable} !== ${type === 'u64' ? '0n' : '0'}`;
  switch (type) {
    case 'u8':
    case 'u16':
      return `typeof ${variable} !== 'number' || (${variable} & ${2 ** (8 * size) - 1}) !== ${variable}`;
    case 'u32':
      return `typeof ${variable} !== 'number' || ${variable} >>> 0 !== ${variable}`;
    case 'i32':
      return `typeof ${variable} !== 'number' || (${variable} | 0) !== ${variable}`;
    case 'u64':
      return `typeof ${variable} !== 'bigint' || BigInt.asUintN(64, ${variable}) !== ${variable}`;
    case 'i64':
      return `typeof ${variable} !== 'bigint' || BigInt.asIntN(64, ${variable}) !== ${variable}`;
    case 'bytes':
      return `!(${variable} instanceof Uint8Array) || ${variable}.length > ${size}`;
  }
}

/** "offset + 8" of a place that is only known at run time, or a plain 8. */
function place(base: string, offset: number): string {
  return base === '' ? `${offset}` : `${base} + ${offset}`;
}

function store({ offset, field }: Placed, view: string, base: string, variable: string): string {
  const at = place(base, offset);
  if (field.type === 'bytes') return `setBytes(${view}, ${at}, ${field.size}, ${variable});`;
  return `${view}.set${method[field.type]}(${at}, ${variable}, true);`;
}

function load({ offset, field }: Placed, view: string, base: string): string {
  const at = place(base, offset);
  if (field.type === 'bytes') return `getBytes(${view}, ${at}, ${field.size})`;
  return `${view}.get${method[field.type]}(${at}, true)`;
}

/** The functions of one struct, spelled out: no loop over fields is left, and no shape is unknown. */
function source(layout: Layout): string {
  const { size, fields, type } = layout;
  const numbered = fields.map((placed, index) => ({ placed, variable: `v${index}` }));
  const all = numbered.map(({ variable }) => variable).join(', ');

  const take = [
    ...numbered.map(({ placed, variable }) => `const ${variable} = value.${placed.name};`),
    ...numbered.map(({ placed, variable }) => {
      return `if (${misfits(placed.field, variable)}) refuseValues(layout, [${all}]);`;
    }),
  ];
  const put = (view: string, base: string) =>
    numbered.map(({ placed, variable }) => store(placed, view, base, variable));
  const header = [
    `view.setUint32(offset, ${type ?? 0}, true);`,
    `view.setUint32(offset + 4, ${size}, true);`,
  ];
  const pad = holes(layout).map((hole) => `view.setUint8(offset + ${hole}, 0);`);
  const get = (view: string, base: string) => [
    ...numbered.map(({ placed, variable }) => `const ${variable} = ${load(placed, view, base)};`),
    ...numbered
      .filter(({ placed }) => placed.field.notation.kind === 'reserved')
      .map(({ placed, variable }) => {
        return `if (${misfits(placed.field, variable)}) refuseReserved(layout, '${placed.name}');`;
      }),
    `return { ${numbered.map(({ placed, variable }) => `${placed.name}: ${variable}`).join(', ')} };`,
  ];
  const within = (code: string) =>
    `if (!(offset >= 0 && offset + ${size} <= view.byteLength)) refuseView(layout, '${code}', view, offset);`;

  // A typed array and its view cost more than all fields of a small struct: one pair is kept for
  // each direction. Fields are taken before the first is stored, so a getter cannot come between.
  return [
    "'use strict';",
    `const out = new Uint8Array(new ArrayBuffer(${size})), outView = new DataView(out.buffer);`,
    `const back = new Uint8Array(new ArrayBuffer(${size})), backView = new DataView(back.buffer);`,
    ...(type === undefined
      ? []
      : [`outView.setUint32(0, ${type}, true);`, `outView.setUint32(4, ${size}, true);`]),
    'return {',
    'encode(value) {',
    ...take,
    ...put('outView', ''),
    `const bytes = new Uint8Array(${size});`,
    'bytes.set(out);',
    'return bytes;',
    '},',
    'decode(bytes) {',
    `if (bytes.length === ${size}) back.set(bytes); else fit(layout, bytes, back);`,
    ...get('backView', ''),
    '},',
    'write(view, offset, value) {',
    ...take,
    within('EINVAL'),
    ...(type === undefined ? [] : header),
    ...pad,
    ...put('view', 'offset'),
    '},',
    'read(view, offset) {',
    within('EPIPE'),
    ...get('view', 'offset'),
    '} };',
  ].join('\n');
}

const tools = { fit, getBytes, refuseReserved, refuseValues, refuseView, setBytes };

/**
 * A codec as one would write it by hand for this struct.
 * @throws EvalError where code may not be made of strings (content security policy).
 */
export function compile<T>(layout: Layout): Codec<T> {
  // Every name that goes into the text is checked to be an identifier (struct.ts).
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const make = new Function('layout', ...Object.keys(tools), source(layout)) as (
    layout: Layout,
    ...tools: readonly unknown[]
  ) => Codec<T>;
  return make(layout, ...Object.values(tools));
}
