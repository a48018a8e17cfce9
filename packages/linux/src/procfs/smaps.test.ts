import { encodeText } from '@ckpt/io';
import { expect, test } from 'vitest';
import { makeDevice, parseSmaps } from './smaps.ts';

const text = `55a1d2b20000-55a1d2b41000 rw-p 00000000 00:00 0                          [heap]
Size:                132 kB
KernelPageSize:        4 kB
Rss:                  12 kB
Shared_Clean:          0 kB
Shared_Dirty:          8 kB
Anonymous:            12 kB
Swap:                  4 kB
ProtectionKey:         3
VmFlags: rd wr mr mw me ac sd 
7fc496742000-7fc496768000 r--s 0001c000 103:1a2b 4711 /tmp/a b\\012c
Anonymous:             0 kB
VmFlags: rd mr me ms sd 
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
VmFlags: ex 
`;

test('mappings are read with what counts of them', () => {
  const [heap, file, vsyscall] = parseSmaps(encodeText(text));
  expect(heap).toMatchObject({
    start: 0x55a1d2b20000n,
    end: 0x55a1d2b41000n,
    permissions: 'rw-p',
    name: '[heap]',
    own: 16384n,
    swapped: 4096n,
    alsoElsewhere: 8192n,
    protectionKey: 3,
  });
  expect([...(heap?.flags ?? [])].join(' ')).toBe('rd wr mr mw me ac sd');
  expect(file).toMatchObject({
    offset: 0x1c000n,
    device: makeDevice(0x103n, 0x1a2bn),
    inode: 4711n,
    name: '/tmp/a b\\012c',
    own: 0n,
  });
  expect(vsyscall).toMatchObject({ end: 0xffffffffff601000n, name: '[vsyscall]' });
});

test('device numbers are laid out as stat(2) has them', () => {
  expect(makeDevice(0xfen, 0n)).toBe(0xfe00n);
  expect(makeDevice(8n, 1n)).toBe(0x801n);
  expect(makeDevice(0x103n, 0x1a2bn)).toBe(0x1a1032bn);
});

test('text that is none makes no mapping', () => {
  expect(parseSmaps(encodeText('nonsense\nRss: 4 kB\n\n'))).toEqual([]);
});

test('mappings are the same, however the text is cut', () => {
  const bytes = encodeText(text.repeat(3));
  const whole = parseSmaps(bytes);
  expect(whole).toHaveLength(9);
  for (const size of [1, 7, 100, 333]) {
    const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    );
    expect(parseSmaps(parts)).toEqual(whole);
  }
  expect(parseSmaps([])).toEqual([]);
});
