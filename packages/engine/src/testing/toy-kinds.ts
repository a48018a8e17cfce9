import { CKPT_HDR_CPU_FPU, Cpu, Eventfd, Pipe, type Infer } from '@ckpt/format';
import type { Origin } from '../plan.ts';
import type { ImageRecord, Resource } from '../resource.ts';

const originOf = ({ position }: ImageRecord, path: string): Origin => ({ position, path });

/** 200 events of the leader's tid, seen twice, and written once. */
const eventfd: Resource = {
  kind: 'eventfd',
  records: [Eventfd],
  asksTask: [{ call: 'eventfd2', args: [0, 0] }],
  checkpoint({ objhash, emit, answers }) {
    for (const key of ['a', 'b', 'a']) {
      const { objref, isNew } = objhash.of('eventfd', key);
      const [count] = answers();
      if (isNew) emit(Eventfd, { objref, semaphore: 0, count: count?.result ?? 0n });
    }
  },
  restore({ document, call }) {
    for (const record of document.all(Eventfd)) {
      const { count, objref } = record.value;
      if (count > 0xffff_ffffn) throw record.invalid('count', `${count} events`);
      call('descriptors', document.object(objref, Eventfd, record), 'eventfd2', [count, 0]);
    }
  },
};

/** A pipe whose content is in the store: pages of all three sources. */
const pipe: Resource = {
  kind: 'pipe',
  records: [Pipe],
  checkpoint({ objhash, emit, store, task, frozen }) {
    const index = store.add({ memory: 0x10000n, task }, 3);
    store.add({ memory: 0x13000n, task }, 1);
    store.add({ memory: 0x20000n, task }, 2);
    store.add({ bytes: Uint8Array.of(1, 2, 3) }, 1);
    store.add({ contents: 'fd/3', task, offset: 1n, size: 5000 }, 2);
    const { objref } = objhash.of('pipe', 'p');
    const pending = frozen.memory(task, 0n, 4).length;
    emit(Pipe, {
      objref,
      capacity: 65536,
      pending,
      packets: 0,
      index: BigInt(index),
      path: 0,
      _pad: 0,
    });
  },
  restore({ document, call, step, pid }) {
    const record = document.one(Pipe);
    const { index } = record.value;
    const made = call('descriptors', record, 'memfd_create', [{ blob: Uint8Array.of(0x70, 0) }, 0]);
    step('descriptors', {
      ...{ op: 'load', on: pid, from: originOf(record, 'pipe'), length: 9 * 4096 },
      ...{ index: Number(index), to: { fd: made, offset: 0n } },
    });
  },
};

type Registers = Omit<Infer<typeof Cpu>, 'tid' | '_pad'>;

/** Registers of every thread, with the xstate behind them. */
export const cpu: Resource = {
  kind: 'cpu',
  records: [Cpu, { type: CKPT_HDR_CPU_FPU }],
  asksThread: [{ call: 'gettid', args: [] }],
  checkpoint({ task, emit, emitBytes, answers }) {
    for (const thread of task.threads) {
      const zeros = Object.fromEntries(Cpu.fields.map(({ name }) => [name, 0n]));
      const [tid] = answers(thread);
      const registers = zeros as unknown as Registers;
      emit(Cpu, { ...registers, tid: Number(tid?.result), _pad: 0 });
      const xstate = new Uint8Array(832);
      xstate[512] = 3;
      emitBytes(CKPT_HDR_CPU_FPU, xstate);
    }
  },
  restore({ document, step }) {
    for (const record of document.all(Cpu)) {
      const registers = record.bytes.slice(16);
      const xstate = record.bytesOf(CKPT_HDR_CPU_FPU);
      const none = { words: [], pending: [], pendingShared: [], stopped: false };
      step('thread', {
        ...{ op: 'resume', on: record.value.tid, from: originOf(record, 'cpu') },
        ...{ registers, xstate, signalMask: 0n, ...none },
      });
    }
  },
};

export const toyKinds: readonly Resource[] = [eventfd, pipe, cpu];
