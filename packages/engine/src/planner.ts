import type { FileStat } from './file-stat.ts';
import type { System } from './system.ts';
import { recordName } from './record-types.ts';
import type { Origin, Step } from './plan.ts';
import {
  sections,
  type Document,
  type ImageRecord,
  type RestoreScope,
  type Section,
} from './resource.ts';

/** What a kind is given to plan with. */
export interface PlannerGround {
  readonly document: Document;
  readonly system: System;
  readonly pid: number;
  readonly options: Readonly<Record<string, unknown>>;
  readonly stat: (path: string) => FileStat | undefined;
  readonly contents?: RestoreScope['contents'];
  readonly startTime: (pid: number) => bigint | undefined;
}

/** Where a step comes from, as an error or a plan shows it: "fd/FILE". */
function originOf(kind: string, { type, position }: ImageRecord): Origin {
  return { position, path: `${kind}/${recordName(type)}` };
}

/** Gathers the steps of all kinds, each in its section. */
export class Planner {
  readonly #ground: PlannerGround;
  readonly #steps = new Map<Section, Step[]>(sections.map((section) => [section, []]));
  readonly #notes: string[] = [];
  #count = 0;

  constructor(ground: PlannerGround) {
    this.#ground = ground;
  }

  get notes(): readonly string[] {
    return this.#notes;
  }

  /** Steps of a section, as planned. */
  of(section: Section): readonly Step[] {
    return this.#steps.get(section) ?? [];
  }

  /** A name that no other step or room has. */
  fresh(prefix: string): string {
    this.#count += 1;
    return `${prefix}-${this.#count}`;
  }

  /** What one kind plans with. */
  scope(kind: string): RestoreScope {
    const add = (section: Section, step: Step): void => {
      const steps = this.#steps.get(section);
      if (steps === undefined) throw new Error(`there is no section ${section}`);
      steps.push(step);
    };
    const { document, system, pid, options, stat, contents, startTime } = this.#ground;
    let last: { readonly record: ImageRecord; readonly origin: Origin } | undefined;
    // Steps of one record follow each other, and share where they come from.
    const origin = (record: ImageRecord): Origin => {
      if (last?.record !== record) last = { record, origin: originOf(kind, record) };
      return last.origin;
    };
    return {
      ...{ document, system, pid, options, stat, contents, startTime },
      call: (section, from, call, args, more = {}) => {
        const id = this.fresh(call);
        const { on = pid, failure = 'fatal', what = call, expect, expectRoom } = more;
        // 10,000 descriptors are 120,000 calls: each is made in one go, in one of few shapes.
        const step = { op: 'call', id, call, args, on, from: origin(from), failure, what } as const;
        if (expect !== undefined) add(section, { ...step, expect });
        else if (expectRoom !== undefined) add(section, { ...step, expectRoom });
        else add(section, step);
        return { result: id };
      },
      step: (section, step) => {
        add(section, { ...step, id: this.fresh(step.op) });
      },
      fresh: (prefix) => this.fresh(prefix),
      note: (sentence) => {
        this.#notes.push(sentence);
      },
    };
  }
}
