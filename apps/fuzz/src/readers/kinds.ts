import { Thread, Tree, TreeThread } from '@ckpt/format';
import { planProcess, planToJson, readMetadata, readOpening, type Resource } from '@ckpt/engine';
import { resources } from '@ckpt/linux';
import { anyMachine } from './machine.ts';
import type { Reader } from './reader.ts';
import { wholeImage } from './whole-image.ts';

/** Lets all threads go on: without that there is no plan. */
const goesOn: Resource = {
  ...{ kind: 'goes on', records: [], checkpoint: () => undefined },
  restore({ document, step }) {
    const tree = document.one(Tree);
    const from = { position: tree.position, path: 'TREE' };
    const none = { words: [], pending: [], pendingShared: [], stopped: false };
    const state = { registers: new Uint8Array(27 * 8), xstate: new Uint8Array(0), signalMask: 0n };
    for (const { tid } of tree.arrayOf(TreeThread)) {
      step('last', { op: 'resume', on: tid, from, ...state, ...none });
    }
  },
};

/** Plans as if there were no other kind: none refuses what this one would have looked at. */
function planAlone(resource: Resource): Reader {
  const types = resource.records.map(({ type }) => type);
  const kinds = types.includes(Thread.type) ? [resource] : [resource, goesOn];
  return wholeImage(
    `restore ${resource.kind}`,
    'process',
    (file, bytes) => {
      const stream = { file, total: 0 };
      const opening = readOpening(stream);
      if (opening.revision !== 100) return;
      const metadata = readMetadata(stream, opening);
      const host = anyMachine(bytes);
      const stat = (path: string) => host.stat(path);
      const startTime = (pid: number) => host.startTime?.(pid);
      const ground = { system: host.system(), resources: kinds, options: {}, stat, startTime };
      planToJson(planProcess(metadata, ground));
    },
    types,
  );
}

/** The restore of each kind of @ckpt/linux by itself. */
export const kindReaders: readonly Reader[] = resources.map(planAlone);
