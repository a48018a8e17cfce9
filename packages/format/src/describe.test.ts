import { expect, it } from 'vitest';
import { describe, jsonValue } from './describe.ts';
import { EpollItem } from './records/epoll.ts';
import { structs } from './testing/structs.ts';

it('a description has every field with its place, value, notation and meaning', () => {
  const value = { fd: 5, events: 0x80000001, data: 1n << 60n, file: 3, ready: 0 };
  expect(describe(EpollItem, value).slice(1, 3)).toEqual([
    {
      name: 'events',
      offset: 4,
      size: 4,
      type: 'u32',
      value: 0x80000001,
      text: 'EPOLLIN|EPOLLET',
      json: 0x80000001,
      doc: 'what is waited for',
      reserved: false,
    },
    {
      name: 'data',
      offset: 8,
      size: 8,
      type: 'u64',
      value: 1n << 60n,
      text: '0x1000000000000000',
      json: '1152921504606846976',
      doc: 'of the user',
      reserved: false,
    },
  ]);
  expect(describe(EpollItem, value).filter(({ reserved }) => reserved)).toHaveLength(0);
});

it.each(structs)('a description of $name is JSON', ({ struct }) => {
  const described = describe(struct, struct.decode(new Uint8Array(struct.size).fill(0)));
  const json = described.map((one) => ({ ...one, value: one.json }));
  expect(JSON.parse(JSON.stringify(json))).toEqual(json);
});

it.each([
  [7, 7],
  [7n, '7'],
  [-1n, '-1'],
  [0xffffffffffffffffn, '18446744073709551615'],
  [Uint8Array.of(0, 255), '00ff'],
])('%s is %j in JSON', (value, json) => {
  expect(jsonValue(value)).toBe(json);
});
