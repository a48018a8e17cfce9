import type { FileStat } from './file-stat.ts';
import type { System } from './system.ts';
import type { Metadata } from './image-reader.ts';
import { checkMachine } from './machine-check.ts';
import { checkPlan } from './plan-check.ts';
import type { Origin, Plan, Step } from './plan.ts';
import { Planner } from './planner.ts';
import { sections, type Resource, type RestoreScope } from './resource.ts';
import { readTree, type ImageTree } from './tree.ts';

export interface PlanGround {
  readonly system: System;
  readonly resources: readonly Resource[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly stat: (path: string) => FileStat | undefined;
  readonly contents?: RestoreScope['contents'];
  readonly startTime: (pid: number) => bigint | undefined;
}

/**
 * Compiles the metadata of an image to a plan, and checks it: nothing is made.
 * @throws CkptError at the record that is wrong, or that this machine cannot restore.
 */
export function planProcess(metadata: Metadata, ground: PlanGround): Plan {
  const { document } = metadata;
  checkMachine(document, ground.system);
  const tree = readTree(document);
  const { system, options, stat, contents, startTime } = ground;
  const pid = tree.leader.tid;
  const planner = new Planner({ document, system, pid, options, stat, contents, startTime });
  for (const resource of ground.resources) resource.restore(planner.scope(resource.kind));
  const plan: Plan = {
    pid,
    steps: assemble(planner, tree),
    store: { pages: metadata.pages, pageSize: metadata.identity.page_size },
    notes: planner.notes,
  };
  checkPlan(plan);
  return plan;
}

/** The leader, sections in their order, a thread for each that no kind made, a barrier, all go. */
function assemble(planner: Planner, { record, leader, threads }: ImageTree): readonly Step[] {
  const from: Origin = { position: record.position, path: 'TREE' };
  const planned = sections.flatMap((section) => planner.of(section));
  const made = new Set(planned.flatMap((step) => (step.op === 'spawn' ? [step.pid] : [])));
  /** The first step is that which makes the process, whoever plans it. */
  const isFirst = (step: Step): boolean => step.op === 'spawn' && step.kind === 'process';
  const on = leader.tid;
  const spawn = (pid: number, kind: 'process' | 'thread'): Step[] =>
    made.has(pid) ? [] : [{ op: 'spawn', id: planner.fresh('spawn'), on, from, kind, pid }];
  const others = threads.filter(({ tid }) => tid !== on);
  const steps = sections.flatMap((section) => {
    const before = section === 'threads' ? others.flatMap(({ tid }) => spawn(tid, 'thread')) : [];
    return [...before, ...planner.of(section)];
  });
  const isResume = ({ op }: Step): boolean => op === 'resume';
  const isEnd = ({ op }: Step): boolean => op === 'die';
  return [
    ...spawn(on, 'process'),
    ...steps.filter(isFirst),
    ...steps.filter((step) => !isResume(step) && !isEnd(step) && !isFirst(step)),
    {
      ...{ op: 'meet', id: planner.fresh('meet'), on, from },
      ...{ barrier: 'ready', parties: threads.map(({ tid }) => tid) },
    },
    ...steps.filter(isEnd),
    ...steps.filter(isResume),
  ];
}
