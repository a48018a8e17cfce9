import { vmaKinds } from '@ckpt/format';
import { encodeText } from '@ckpt/io';
import { expect, test } from 'vitest';
import { parseSmaps, type Mapping } from '../procfs/smaps.ts';
import { classify } from './vma-classify.ts';

/** "rw-p 00:00 0 [heap]" and its flags. */
function mapping(place: string, flags = 'rd wr mr mw me ac sd', more = ''): Mapping {
  const [permissions = '', device = '', inode = '', ...name] = place.split(' ');
  const line = `7f0000000000-7f0000002000 ${permissions} 00000000 ${device} ${inode} ${name.join(' ')}`;
  const [one] = parseSmaps(encodeText(`${line}\n${more}VmFlags: ${flags} \n`));
  if (one === undefined) throw new Error(`no mapping: ${line}`);
  return one;
}

test.for([
  ['rw-p 00:00 0', vmaKinds.anonymous],
  ['---p 00:00 0', vmaKinds.anonymous],
  ['rw-p 00:00 0 [heap]', vmaKinds.anonymous],
  ['rw-p 00:00 0 [anon:a name]', vmaKinds.anonymous],
  ['r-xp fe:00 12 /usr/lib/x', vmaKinds.file],
  ['rw-p 00:05 4 /dev/zero', vmaKinds.file],
  ['rw-s fe:00 12 /tmp/x', vmaKinds.shared_file],
  ['rw-s 00:01 1027 /dev/zero (deleted)', vmaKinds.shared_anonymous],
  ['rw-s 00:01 1027 [anon_shmem:a name]', vmaKinds.shared_anonymous],
  ['rw-s 00:0e 99 anon_inode:[io_uring]', vmaKinds.io_uring],
] as const)('%s is told apart', ([place, kind]) => {
  expect(classify(mapping(place))).toEqual({ is: 'kind', kind });
});

test('a mapping that grows down is a stack', () => {
  const flags = 'rd wr mr mw me gd ac';
  expect(classify(mapping('rw-p 00:00 0 [stack]', flags))).toEqual({
    is: 'kind',
    kind: vmaKinds.stack,
  });
});

test.for([
  ['rw-p 00:0f 9 /anon_hugepage (deleted)', vmaKinds.anonymous],
  ['rw-s 00:0f 9 /anon_hugepage (deleted)', vmaKinds.shared_file],
  ['rw-p 00:0f 9 /memfd:x (deleted)', vmaKinds.file],
] as const)('%s of huge pages is told apart', ([place, kind]) => {
  expect(classify(mapping(place, 'rd wr mr mw me de ht'))).toEqual({ is: 'kind', kind });
});

test('what the kernel maps is not of the process', () => {
  expect(classify(mapping('--xp 00:00 0 [vsyscall]', 'ex'))).toEqual({ is: 'kernel' });
  for (const name of ['[vvar]', '[vvar_vclock]', '[vdso]']) {
    const flags = name === '[vdso]' ? 'rd ex mr mw me de' : 'rd mr pf io de dd';
    expect(classify(mapping(`r--p 00:00 0 ${name}`, flags))).toEqual({ is: 'vdso' });
  }
});

test.for([
  ['rw-p 00:00 0', 'rd wr um', 'userfaultfd(2) serves its pages'],
  ['rw-p 00:00 0', 'rd wr uw', 'userfaultfd(2) serves its pages'],
  ['rw-s 00:05 9 /dev/mem', 'rd wr sh pf io', 'it is memory of a device'],
  ['rw-p 00:00 0', 'rd wr ss', 'it is a shadow stack'],
  ['rw-s fe:00 9 /pmem/x', 'rd wr sh sf', 'it is mapped with MAP_SYNC'],
  ['rw-p 00:00 0', 'rd wr zz', 'it has the flag "zz", which this version does not know'],
  ['--xp 00:00 0 [uprobes]', 'ex', 'a probe is set in the program'],
  ['rw-p 00:00 0 [news]', 'rd wr', 'the kernel made it for a purpose of its own'],
  ['rw-s 00:0f 9 /[aio] (deleted)', 'rd wr de', 'it has an asynchronous I/O context (io_setup(2))'],
  ['rw-s 00:01 9 /SYSV00000000 (deleted)', 'rd wr sh', 'it is System V shared memory'],
  [
    'rw-s 00:0e 9 anon_inode:[perf_event]',
    'rd wr sh',
    'it belongs to a descriptor that cannot be mapped again',
  ],
  ['rw-s 00:08 9 socket:[77]', 'rd wr sh', 'it is a ring of a packet socket'],
] as const)('%s %s is refused', ([place, flags, reason]) => {
  const verdict = classify(mapping(place, flags));
  expect(verdict).toMatchObject({ is: 'obstacle', reason });
  expect(verdict.is === 'obstacle' ? verdict.remedy : '').not.toBe('');
});

test('a protection key is refused', () => {
  const one = mapping('rw-p 00:00 0', 'rd wr', 'ProtectionKey: 2\n');
  expect(classify(one)).toMatchObject({ is: 'obstacle', reason: 'it has protection key 2' });
});

test('a mapping above 47 bits is refused', () => {
  const one = { ...mapping('rw-p 00:00 0'), end: 0x8000_0000_0000n };
  expect(classify(one)).toMatchObject({
    is: 'obstacle',
    reason: 'it lies above 47 bits of address',
  });
});
