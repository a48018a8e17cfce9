import type { ImageRecord, RestoreScope, Section } from '@ckpt/engine';
import type { Signal } from '@ckpt/format';
import { limitNames, parseLimits, unlimited, type Limit } from '../procfs/limits.ts';
import { parseStatus } from '../procfs/status.ts';

/** capabilities(7) */
const CAP_SYS_RESOURCE = 24n;

/** RLIMIT_FSIZE, DATA, NOFILE, MEMLOCK, AS: what a restart itself comes up against. */
const used = new Set([1, 2, 7, 8, 9]);

function rlimit({ soft, hard }: Limit): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, soft, true);
  view.setBigUint64(8, hard, true);
  return bytes;
}

const show = (amount: bigint): string => (amount === unlimited ? 'unlimited' : amount.toString());
const less = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** What the invoker has, and whether it may give more. */
function invoker(scope: RestoreScope): { own: readonly Limit[]; mayRaise: boolean } {
  const { self } = scope.system;
  if (self === undefined) return { own: [], mayRaise: true };
  const effective = parseStatus(self.status).capabilities.effective;
  const mayRaise = ((effective >> CAP_SYS_RESOURCE) & 1n) === 1n;
  return { own: parseLimits(self.limits) ?? [], mayRaise };
}

/**
 * Plans resource limits: as high as the invoker may until all is there, then those of the image.
 * Where the invoker may not give what the process had, it gets what there is, and that is said.
 * @throws CkptError EINVAL for limits that are none.
 */
export function restoreLimits(
  scope: RestoreScope,
  record: ImageRecord<Signal>,
  limits: readonly Limit[],
): void {
  if (limits.length !== limitNames.length) {
    throw record.invalid('count', `${limits.length} limits, not ${limitNames.length}`);
  }
  const { own, mayRaise } = invoker(scope);
  const set = (section: Section, resource: number, limit: Limit, what: string): void => {
    const args = [0, resource, { blob: rlimit(limit) }, 0];
    scope.call(section, record, 'prlimit64', args, { failure: 'warn', what });
  };
  for (const [resource, limit] of limits.entries()) {
    const [, name = ''] = limitNames[resource] ?? [];
    if (limit.soft > limit.hard) {
      throw record.invalid('soft', `${name} of ${show(limit.soft)} over ${show(limit.hard)}`);
    }
    const ours = own[resource];
    const ceiling = mayRaise || ours === undefined ? limit.hard : less(limit.hard, ours.hard);
    const given = { soft: less(limit.soft, ceiling), hard: ceiling };
    if (ceiling !== limit.hard) {
      const had = `${show(limit.soft)}, at most ${show(limit.hard)}`;
      const has = `${show(given.soft)}, at most ${show(given.hard)}`;
      scope.note(`${name} was ${had}, and is ${has}: more needs CAP_SYS_RESOURCE`);
    }
    const raised = ours !== undefined && used.has(resource) && ours.soft < ours.hard;
    if (raised) {
      const high = mayRaise && limit.hard > ours.hard ? limit.hard : ours.hard;
      set('rights', resource, { soft: high, hard: high }, `raise ${name}`);
    }
    const same = ours?.soft === given.soft && ours.hard === given.hard;
    if (raised || !same) set('last', resource, given, name);
  }
}
