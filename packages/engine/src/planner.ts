import type { FileStat, System } from './host.ts';
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
    const { document, system, pid, options, stat, startTime } = this.#ground;
    return {
      ...{ document, system, pid, options, stat, startTime },
      call: (section, from, call, args, more = {}) => {
        const id = this.fresh(call);
        add(section, {
          ...{ op: 'call', id, call, args },
          on: more.on ?? pid,
          from: originOf(kind, from),
          failure: more.failure ?? 'fatal',
          what: more.what ?? call,
          ...(more.expect === undefined ? {} : { expect: more.expect }),
          ...(more.expectRoom === undefined ? {} : { expectRoom: more.expectRoom }),
        });
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
