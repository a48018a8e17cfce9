import type { CheckpointScope } from '@ckpt/engine';
import { parseFdInfo, type FdInfo } from '../procfs/fdinfo.ts';
import type { Descriptor, Description } from './descriptor.ts';

/** What is known of one number before it is known which of them share a description. */
interface Found extends Descriptor {
  readonly link: string;
  readonly info: FdInfo;
}

/** Time goes on while a process stands still. */
const changing = /^(ticks|it_value):/;

/** Equal for descriptors that may share a description. */
function keyOf({ link, info }: Found): string {
  const lines = info.lines.filter((line) => !changing.test(line));
  return [link, String(info.flags), String(info.position), ...lines].join('\n');
}

function read(scope: CheckpointScope, fd: number): Found | undefined {
  const { frozen, task } = scope;
  const link = frozen.link(task, `fd/${fd}`);
  const bytes = frozen.read(task, `fdinfo/${fd}`);
  const info = bytes === undefined ? undefined : parseFdInfo(bytes);
  if (link !== undefined && info !== undefined) {
    return { fd, closeOnExec: info.closeOnExec, link, info };
  }
  scope.refuse({
    thing: `descriptor ${fd}${link === undefined ? '' : `: ${link}`}`,
    reason: 'the kernel does not tell what it leads to',
    remedy: 'checkpoint as root, or as the user who runs the process',
  });
  return undefined;
}

/** Splits look-alikes into those that are the same, by an order: n log n comparisons. */
function byOrder(alike: readonly Found[], compare: (a: number, b: number) => number): Found[][] {
  const sorted = [...alike].sort((a, b) => compare(a.fd, b.fd) || a.fd - b.fd);
  const groups: Found[][] = [];
  for (const found of sorted) {
    const last = groups.at(-1);
    if (last?.[0] !== undefined && compare(last[0].fd, found.fd) === 0) last.push(found);
    else groups.push([found]);
  }
  return groups;
}

function byEquality(alike: readonly Found[], same: (a: number, b: number) => boolean): Found[][] {
  const groups: Found[][] = [];
  for (const found of alike) {
    const group = groups.find(([first]) => first !== undefined && same(first.fd, found.fd));
    if (group === undefined) groups.push([found]);
    else group.push(found);
  }
  return groups;
}

function sharing(scope: CheckpointScope, alike: readonly Found[]): Found[][] {
  const { frozen, task } = scope;
  if (alike.length === 1) return [[...alike]];
  const compare = frozen.compareFiles?.bind(frozen);
  return compare === undefined
    ? byEquality(alike, (a, b) => frozen.sameFile(task, a, b))
    : byOrder(alike, (a, b) => compare(task, a, b));
}

/**
 * The open file descriptions of a task, ascending by their lowest descriptor. Only look-alikes
 * are compared by kcmp(2): 10,000 descriptors cost little more than reading about them.
 */
export function readDescriptions(scope: CheckpointScope): readonly Description[] {
  const names = scope.frozen.list(scope.task, 'fd').map(Number);
  const alike = new Map<string, Found[]>();
  for (const fd of names.sort((a, b) => a - b)) {
    const found = read(scope, fd);
    if (found === undefined) continue;
    const key = keyOf(found);
    const group = alike.get(key);
    if (group === undefined) alike.set(key, [found]);
    else group.push(found);
  }
  const descriptions = [...alike.values()]
    .flatMap((group) => sharing(scope, group))
    .flatMap((group): readonly Description[] => {
      const [first] = group;
      if (first === undefined) return [];
      const descriptors = group
        .map(({ fd, closeOnExec }) => ({ fd, closeOnExec }))
        .sort((a, b) => a.fd - b.fd);
      const { link, info } = first;
      return [{ fd: descriptors[0]?.fd ?? first.fd, descriptors, link, info }];
    });
  return descriptions.sort((a, b) => a.fd - b.fd);
}
