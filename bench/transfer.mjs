/**
 * ckptKread and ckptKwrite over a descriptor against bare readSync and writeSync (aim: at most 1.1),
 * and the walk over the records of a large image. `tsc -b` first: node bench/transfer.mjs
 */
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ckptKread, ckptKwrite, ckptWriteObjType, MemoryFile, walkRecords } from '@ckpt/io';
import { FdFile } from '@ckpt/io/node';
import { inTurn, ratio, row, timed } from './measure.mjs';

const folder = mkdtempSync(join(tmpdir(), 'ckpt-bench-'));
const path = join(folder, 'file');

function transfers(size, count) {
  const bytes = new Uint8Array(size).fill(7);
  const writing = (work) => () => {
    const fd = openSync(path, 'w');
    const { ms } = timed(() => {
      for (let n = 0; n < count; n++) work(fd);
    });
    closeSync(fd);
    return ms;
  };
  const reading = (make) => () => {
    const fd = openSync(path, 'r');
    const work = make(fd);
    const { ms } = timed(() => {
      for (let n = 0; n < count; n++) work();
    });
    closeSync(fd);
    return ms;
  };
  let stream;
  const found = inTurn(9, {
    writeSync: writing((fd) => writeSync(fd, bytes, 0, size, null)),
    kwrite: () => {
      const fd = openSync(path, 'w');
      stream = { file: new FdFile(fd), total: 0 };
      const { ms } = timed(() => {
        for (let n = 0; n < count; n++) ckptKwrite(stream, bytes, size);
      });
      closeSync(fd);
      return ms;
    },
    readSync: reading((fd) => () => readSync(fd, bytes, 0, size, null)),
    kread: reading((fd) => {
      const from = { file: new FdFile(fd), total: 0 };
      return () => ckptKread(from, bytes, size);
    }),
  });
  row(`transfers of ${size} bytes`, {
    kwrite: ratio(found.kwrite / found.writeSync, 1.1),
    kread: ratio(found.kread / found.readSync, 1.1),
    readSync: `${((found.readSync / count) * 1e6).toFixed(0)} ns`,
  });
}

function walkMemory() {
  const file = new MemoryFile();
  const stream = { file, total: 0 };
  const payload = new Uint8Array(120);
  for (let n = 0; n < 200_000; n++) ckptWriteObjType(stream, payload, payload.length, 3);
  const image = file.bytes;
  const found = inTurn(9, {
    walk: () =>
      timed(() => {
        let records = 0;
        for (const _ of walkRecords({ file: new MemoryFile(image), total: 0 })) records++;
        return records;
      }).ms,
  });
  row('walk of 128-byte records in memory', {
    speed: `${(image.length / 2 ** 30 / (found.walk / 1000)).toFixed(2)} GiB/s`,
    'a record': `${((found.walk / 200_000) * 1e6).toFixed(0)} ns`,
  });
}

/** Records of 16 MiB in a sparse file: what inspecting a large image costs. */
function walkFile() {
  const fd = openSync(path, 'w');
  const header = Buffer.alloc(8);
  header.writeUInt32LE(808, 0);
  header.writeUInt32LE(16 << 20, 4);
  for (let n = 0; n < 64; n++) writeSync(fd, header, 0, 8, n * (16 << 20));
  ftruncateSync(fd, 64 * (16 << 20));
  closeSync(fd);
  const buffer = new Uint8Array(256 << 10);
  const found = inTurn(5, {
    walk: () => {
      const from = openSync(path, 'r');
      const { ms } = timed(() => {
        for (const _ of walkRecords({ file: new FdFile(from), total: 0 }));
      });
      closeSync(from);
      return ms;
    },
    read: () => {
      const from = openSync(path, 'r');
      const { ms } = timed(() => {
        while (readSync(from, buffer, 0, buffer.length, null) > 0);
      });
      closeSync(from);
      return ms;
    },
  });
  row('walk of a 1 GiB image in a file', {
    speed: `${(1000 / found.walk).toFixed(2)} GiB/s`,
    'against reading it': ratio(found.walk / found.read, 1.1),
  });
}

try {
  transfers(64, 20_000);
  transfers(4096, 10_000);
  transfers(1 << 20, 200);
  walkMemory();
  walkFile();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
