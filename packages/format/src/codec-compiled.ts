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

/** What the text of a codec calls the bytes it works on. */
interface Names {
  readonly view: string;
  /** The whole view as bytes, where there is such an array; it begins at the struct. */
  readonly array?: string;
}

const given: Names = { view: 'view' };

function store({ offset, field }: Placed, { view, array }: Names, variable: string): string {
  const at = array === undefined ? `offset + ${offset}` : `${offset}`;
  const { type, size } = field;
  if (type !== 'bytes') return `${view}.set${method[type]}(${at}, ${variable}, true);`;
  return array === undefined
    ? `setBytes(${view}, ${at}, ${size}, ${variable});`
    : `${array}.fill(0, ${at} + ${variable}.length, ${offset + size}).set(${variable}, ${at});`;
}

function load({ offset, field }: Placed, { view, array }: Names): string {
  const at = array === undefined ? `offset + ${offset}` : `${offset}`;
  const { type, size } = field;
  if (type !== 'bytes') return `${view}.get${method[type]}(${at}, true)`;
  return array === undefined
    ? `getBytes(${view}, ${at}, ${size})`
    : `${array}.slice(${offset}, ${offset + size})`;
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
  const put = (names: Names) =>
    numbered.map(({ placed, variable }) => store(placed, names, variable));
  const header = [
    `view.setUint32(offset, ${type ?? 0}, true);`,
    `view.setUint32(offset + 4, ${size}, true);`,
  ];
  const pad = holes(layout).map((hole) => `view.setUint8(offset + ${hole}, 0);`);
  const get = (names: Names) => [
    ...numbered.map(({ placed, variable }) => `const ${variable} = ${load(placed, names)};`),
    ...numbered
      .filter(({ placed }) => placed.field.notation.kind === 'reserved')
      .map(({ placed, variable }) => {
        return `if (${misfits(placed.field, variable)}) refuseReserved(layout, '${placed.name}');`;
      }),
    `return { ${numbered.map(({ placed, variable }) => `${placed.name}: ${variable}`).join(', ')} };`,
  ];
  const probe = size === 0 ? [] : [`view.getUint8(offset + ${size - 1});`];
  const within = `if (!(offset >= 0 && offset + ${size} <= view.byteLength)) refuseView(layout, view, offset);`;

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
    ...put({ view: 'outView', array: 'out' }),
    `const bytes = new Uint8Array(${size});`,
    'bytes.set(out);',
    'return bytes;',
    '},',
    'decode(bytes) {',
    `if (bytes.length === ${size}) back.set(bytes); else fit(layout, bytes, back);`,
    ...get({ view: 'backView', array: 'back' }),
    '},',
    'write(view, offset, value) {',
    ...take,
    ...probe,
    ...(type === undefined ? [] : header),
    ...pad,
    ...put(given),
    '},',
    'read(view, offset) {',
    within,
    ...get(given),
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
